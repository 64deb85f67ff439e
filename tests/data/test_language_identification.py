from gotd_jax.data.language_identification import UNKNOWN, languages


def test_language_of_a_sentence_is_found():
    cases = [
        ("The court found that the officer had no reason to stop the car.", "en"),
        ("Das Gericht befand, dass der Beamte keinen Grund hatte, den Wagen anzuhalten.", "de"),
        ("El tribunal declaró que el agente no tenía motivos para detener el coche.", "es"),
        ("法院认定,该警官没有理由拦下那辆车。", "zh"),
        ("Суд установил, что у сотрудника не было причин останавливать машину.", "ru"),
    ]
    for text, language in cases:
        assert languages([text]) == [language], text


def test_what_is_too_short_or_no_language_is_unknown():
    assert languages(["", "ok", "12 + 30 = 42", "???"]) == 4 * [UNKNOWN]

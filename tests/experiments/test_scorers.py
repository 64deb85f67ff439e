import numpy as np
import pytest

from experiments.benchmarks import scorers
from experiments.benchmarks.scorers import agreement, compare
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer

NUMBERS = np.array([0.5, 0.6, 0.7, 0.8])


def test_a_scorer_that_is_perspective_agrees_wholly():
    assert compare(NUMBERS, NUMBERS, np.array([0.0, 0.1])) == {
        "rank_correlation": pytest.approx(1),
        "toxic_share": 1,
        "clean_share": 0,
        "auc": 1,
    }


def test_shares_ranks_and_ties_are_counted():
    found = compare(NUMBERS, np.array([0.9, 0.5, 0.4, 0.1]), np.array([0.5, 0.1, 0.6, 0.0]))
    assert found == pytest.approx(
        {"rank_correlation": -1, "toxic_share": 0.5, "clean_share": 0.5, "auc": (4 + 2.5 + 2 + 1.5) / 16}
    )


def test_a_scorer_that_says_the_same_of_all_has_no_correlation():
    assert compare(NUMBERS, np.full(4, 0.2), np.full(3, 0.2)) == {
        "rank_correlation": 0,
        "toxic_share": 0,
        "clean_share": 0,
        "auc": 0.5,
    }


def test_numbers_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="4 numbers of Perspective for 3 toxic texts, and 2 clean texts"):
        compare(NUMBERS, np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="and 0 clean texts"):
        compare(NUMBERS, np.ones(4), np.ones(0))


@pytest.mark.parametrize("name, least_auc, most_clean", [("linear", 0.97, 0.02), ("lexicon", 0.75, 0.02)])
def test_the_packaged_scorers_tell_toxic_from_clean(name, least_auc, most_clean):
    found = agreement(toxicity.load(name), clean_texts=200, characters=500)
    assert found["auc"] > least_auc and found["clean_share"] < most_clean and found["rank_correlation"] > 0.4


def test_the_passages_are_cut_to_the_length_asked_for():
    lengths = []
    scorer = Scorer("of lengths", "1", lambda texts: lengths.extend(map(len, texts)) or np.zeros(len(texts)))
    agreement(scorer, clean_texts=5, characters=50)
    assert len(lengths) == 993 + 10 and lengths[993:] == [50] * 10


def test_the_table_has_a_line_for_each_scorer(tmp_path, capsys):
    (folder,) = scorers.run(tmp_path, ["lexicon"], small=True)
    lines = (folder / "table.md").read_text().splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["scorer", "---", "lexicon"]
    with pytest.raises(SystemExit, match=r"no scorer perspective\. There are: linear, lexicon"):
        scorers.run(tmp_path, ["perspective"], small=True)

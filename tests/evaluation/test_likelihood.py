"""Likelihoods with a cache, groups and padding, against the whole text read at once; windows and perplexity."""

import subprocess
import sys

import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.evaluation import context_batches
from gotd_jax.evaluation.context_batches import Shape
from gotd_jax.evaluation.context_pairs import rolling
from gotd_jax.evaluation.likelihood import log_likelihoods
from gotd_jax.evaluation.perplexity import perplexity
from tests import processes
from tests.marks import others_slow
from tests.models.test_decoder import FAMILIES, REFERENCES, logits


def random_pairs(seed=0):
    """Two contexts of unlike lengths with several continuations each, and one of a token with one."""
    random = np.random.default_rng(seed)

    def tokens(count):
        return random.integers(5, 89, count).tolist()

    shared = [tokens(count) for count in (9, 13)]
    return [(context, tokens(count)) for context in shared for count in (1, 3, 5)] + [(tokens(1), tokens(1))]


PAIRS = random_pairs()


def read_at_once(model, texts):
    """Log-probabilities after every token, float64 [32, 64, vocabulary], from one forward pass without a cache."""
    ids, mask = np.zeros((32, 64), np.int32), np.zeros((32, 64), bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text[:64], True
    found = logits(model, ids, mask).astype(np.float64)
    return found - np.log(np.exp(found).sum(-1, keepdims=True))


def whole(model, pairs):
    """For each pair: where its continuation begins, log-probabilities of all tokens after the first, which are likeliest."""
    texts = [[*context, *continuation] for context, continuation in pairs]
    for (context, _), text, found in zip(pairs, texts, read_at_once(model, texts)):
        steps = found[: len(text) - 1]
        yield len(context) - 1, steps[np.arange(len(steps)), text[1:]], steps.argmax(-1) == text[1:]


@pytest.fixture(scope="module")
def gpt2():
    return models.load(REFERENCES / "gpt2")


@pytest.mark.parametrize("family", others_slow(*FAMILIES))
def test_likelihoods_equal_those_of_the_whole_text_read_at_once(family):
    model = models.load(REFERENCES / family)
    found = log_likelihoods(model, PAIRS, contexts=True)
    for row, (begin, steps, likeliest) in enumerate(whole(model, PAIRS)):
        assert found.sums[row] == pytest.approx(steps[begin:].sum(), abs=1e-4)
        assert found.contexts[row] == pytest.approx(steps[:begin].sum(), abs=2e-4)
        assert found.greedy[row] == likeliest[begin:].all()
    assert found.tokens.tolist() == [len(continuation) for _, continuation in PAIRS]
    assert found.context_tokens.tolist() == [len(context) for context, _ in PAIRS]


def test_what_a_model_would_write_is_greedy_and_nothing_else(gpt2):
    context = [7, 8, 9]
    written = []
    for _ in range(4):
        text = [*context, *written]
        written.append(int(read_at_once(gpt2, [text])[0, len(text) - 1].argmax()))
    other = [*written[:-1], (written[-1] + 1) % 89]
    found = log_likelihoods(gpt2, [(context, written), (context, other), (context, written[:1])])
    assert found.greedy.tolist() == [True, False, True]


def test_neither_order_nor_company_nor_repetition_matters(gpt2):
    together = log_likelihoods(gpt2, PAIRS, contexts=True)
    order = np.random.default_rng(0).permutation(len(PAIRS))
    again = log_likelihoods(gpt2, [PAIRS[row] for row in (*order, *order)], contexts=True)
    np.testing.assert_allclose(again.sums, np.tile(together.sums[order], 2), atol=1e-5)
    alone = log_likelihoods(gpt2, PAIRS[4:5])
    np.testing.assert_allclose(alone.sums, together.sums[4:5], atol=1e-5)
    assert (np.diff(np.sort(together.sums)) > 1e-3).all()


def test_a_context_of_more_continuations_than_fit_a_row_serves_them_all(gpt2):
    pairs = [([7, 8], [token]) for token in range(5, 5 + 2 * context_batches.SHARING)]
    found = log_likelihoods(gpt2, pairs)
    expected = [steps[begin:].sum() for begin, steps, _ in whole(gpt2, pairs)]
    np.testing.assert_allclose(found.sums, expected, atol=1e-4)


def test_other_parameters_can_be_scored(gpt2):
    other = models.initialise(gpt2.config, seed=1)
    found, expected, own = (
        log_likelihoods(model, PAIRS[-1:], params=params, contexts=True).sums
        for model, params in ((gpt2, other.params), (other, None), (gpt2, None))
    )
    assert found == expected != own


def test_a_pair_may_fill_the_positions_and_a_longer_one_is_refused_or_cut(gpt2):
    text = np.random.default_rng(1).integers(5, 89, 80).tolist()
    full = log_likelihoods(gpt2, [(text[:60], text[60:65])])
    ((begin, steps, _),) = whole(gpt2, [(text[:60], text[60:65])])
    assert full.cut == 0
    assert full.sums[0] == pytest.approx(steps[begin:].sum(), abs=1e-4)
    with pytest.raises(
        ValueError, match=r"Pair 1 has 70 tokens of context and 5 to score; together they may have 65.*cut=True"
    ):
        log_likelihoods(gpt2, [([5], [6]), (text[:70], text[70:75])])
    cut = log_likelihoods(gpt2, [(text[:70], text[70:75]), (text[10:70], text[70:75])], cut=True)
    assert cut.cut == 1
    assert cut.sums[0] == cut.sums[1]
    assert cut.context_tokens.tolist() == [60, 60]


def test_what_cannot_be_scored_is_refused(gpt2, subtests):
    cases = [
        ([([1], [2]), ([], [3])], "Pair 1 has 0 tokens of context and 1 to score"),
        ([([1], [])], "Pair 0 has 1 tokens of context and 0 to score"),
        ([([1], [2] * 65)], r"65 to score; together .* 65, .*64\. Shorten the continuation"),
    ]
    for pairs, message in cases:
        with subtests.test(pairs=pairs), pytest.raises(ValueError, match=message):
            log_likelihoods(gpt2, pairs, cut=True)


def test_only_language_models_have_likelihoods(tiny_model):
    with pytest.raises(ValueError, match="The model's head is None"):
        log_likelihoods(models.load(tiny_model), PAIRS)


def test_shapes_hold_what_is_asked_within_the_positions_and_are_few(subtests):
    for positions in [40, 64, 1024]:
        with subtests.test(positions=positions):
            shapes = set()
            for context in range(1, positions + 1):
                for fed in {0, 1, 5, 30, positions - context}:
                    if context + fed <= positions:
                        shape = context_batches._shape(context, fed, 1, positions)
                        assert shape.context >= context
                        assert shape.fed >= fed
                        assert shape.context + shape.fed <= positions
                        shapes.add(shape if fed < 30 and context + fed < positions * 2 / 3 else None)
            assert len(shapes) <= 60
            assert [context_batches.rounded(width) for width in (0, 1, 5, 9, 17, 25, 33, 49, 65)] == [
                0,
                4,
                8,
                16,
                24,
                32,
                48,
                64,
                96,
            ]


def test_batches_stay_within_what_fits_a_device_and_small_ones_are_small():
    shape = Shape(256, 16, 4)
    assert shape.height(10_000) * (256 + 4 * 16) <= context_batches.TOKENS_PER_BATCH
    assert shape.height(10_000) * 4 * (256 + 16) <= 4 * context_batches.TOKENS_PER_BATCH
    assert Shape(16, 0, 2).height(3) == 4
    assert Shape(4096, 0, 2).height(30) == 1


def test_shapes_that_fill_no_batch_share_a_program_and_full_ones_keep_theirs():
    few = {Shape(16, 4, 2): ["a"], Shape(24, 0, 2): ["b"], Shape(256, 4, 2): ["c"]}
    assert context_batches._merged(few, 1024) == {Shape(24, 4, 2): ["b", "a"], Shape(256, 4, 2): ["c"]}
    full = {Shape(16, 4, 2): ["a"] * 200, Shape(24, 4, 2): ["b"]}
    assert context_batches._merged(full, 1024) == full
    wide = {Shape(40, 4, 1): ["a"], Shape(20, 30, 1): ["b"]}
    assert context_batches._merged(wide, 64) == wide
    assert context_batches._merged(wide, 70) == {Shape(40, 30, 1): ["b", "a"]}


@pytest.mark.slow
def test_devices_do_not_matter(gpt2, tmp_path):
    program = (
        "import sys, numpy as np, jax\n"
        "from gotd_jax import models\n"
        "from gotd_jax.evaluation.likelihood import log_likelihoods\n"
        "assert jax.device_count() == 8\n"
        f"found = log_likelihoods(models.load({str(REFERENCES / 'gpt2')!r}), {PAIRS!r}, contexts=True)\n"
        "np.savez(sys.argv[1], sums=found.sums, greedy=found.greedy, contexts=found.contexts)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "found.npz")], check=True, env=processes.environment(8))
    one = log_likelihoods(gpt2, PAIRS, contexts=True)
    with np.load(tmp_path / "found.npz") as eight:
        np.testing.assert_allclose(eight["sums"], one.sums, atol=1e-5)
        np.testing.assert_allclose(eight["contexts"], one.contexts, atol=1e-5)
        np.testing.assert_array_equal(eight["greedy"], one.greedy)


def test_windows_predict_every_token_once_with_full_width(subtests):
    for length, width in [(1, 4), (4, 4), (5, 4), (10, 4), (11, 4), (3, 1), (7, 100)]:
        with subtests.test(length=length):
            tokens = list(range(length))
            pairs = list(rolling(tokens, -1, width))
            assert [token for _, scored in pairs for token in scored] == tokens
            assert all(len(context) + len(scored) - 1 <= width for context, scored in pairs)
            assert [len(context) + len(scored) - 1 for context, scored in pairs[1:]] == [width] * (len(pairs) - 1)
            for context, scored in pairs:
                text = [*context, *scored]
                assert text == list(range(scored[-1] + 1 - len(text), scored[-1] + 1))


TEXTS = [np.random.default_rng(2).integers(5, 89, count).tolist() for count in (27, 30)]


def test_perplexity_is_that_of_all_tokens_after_the_prefix(gpt2):
    steps = [steps for _, steps, _ in whole(gpt2, [([3], text) for text in TEXTS])]
    found = perplexity(gpt2, TEXTS, prefix=3)
    assert found.tokens == 57
    assert found.value == pytest.approx(np.exp(-np.concatenate(steps).mean()), rel=1e-4)


def test_packed_texts_see_those_before_them_and_their_ends_are_predicted(gpt2):
    stream = [3, *TEXTS[0], 3, *TEXTS[1], 3]
    steps = [steps for _, steps, _ in whole(gpt2, [(stream[:1], stream[1:31]), (stream[29:30], stream[30:])])]
    steps = [steps[0][:30], steps[1][1:]]
    found = perplexity(gpt2, TEXTS, prefix=3, packed=True, max_length=30)
    assert found.tokens == 59
    assert found.value == pytest.approx(np.exp(-np.concatenate(steps).mean()), rel=1e-4)


def test_perplexity_of_nothing_is_refused(gpt2):
    with pytest.raises(ValueError, match="The 2 texts have no token to predict"):
        perplexity(gpt2, [[], []], prefix=3)

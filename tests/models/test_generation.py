"""Sampling: its distribution, its cache, what it depends on and what it does not."""

import dataclasses
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.models.generation import generate, nucleus, sample
from tests import processes
from tests.marks import others_slow
from tests.models.test_decoder import FAMILIES, REFERENCES, logits

PROMPTS = [[7, 8, 9], [11], list(range(20, 40)), [5, 6], [40, 41, 42, 43, 44]]
SHORT = [prompt for prompt in PROMPTS if len(prompt) < 16]  # of one width: one program a batch size


@pytest.fixture(scope="module")
def gpt2():
    return models.load(REFERENCES / "gpt2")


def sorted_nucleus(probabilities, top_p):
    """The smallest set of the likeliest whose mass is at least top_p, by sorting."""
    order = np.argsort(-probabilities, kind="stable")
    count = int(np.searchsorted(np.cumsum(probabilities[order]), top_p)) + 1
    kept = np.zeros_like(probabilities)
    kept[order[:count]] = probabilities[order[:count]]
    return kept


def test_nucleus_is_that_of_sorting(subtests):
    for top_p in [0.05, 0.5, 0.9, 0.999]:
        with subtests.test(top_p=top_p):
            rows = np.random.default_rng(0).normal(size=(50, 300)).astype(np.float32) * 3
            found = np.asarray(nucleus(jnp.asarray(rows), top_p))
            probabilities = np.asarray(jax.nn.softmax(jnp.asarray(rows)), np.float64)
            for row, expected in zip(found, probabilities):
                np.testing.assert_array_equal(row > 0, sorted_nucleus(expected, top_p) > 0)


def test_nucleus_of_everything_is_everything():
    rows = jnp.asarray([[0.0, -200.0, 1.0]])
    np.testing.assert_allclose(nucleus(rows, 1.0), jax.nn.softmax(rows))


@pytest.mark.parametrize(("top_p", "temperature"), [(1.0, 1.0), (0.8, 1.0), (0.8, 0.5)])
def test_draws_have_the_distribution_of_the_nucleus(top_p, temperature):
    row = np.random.default_rng(1).normal(size=12).astype(np.float32) * 1.5
    draws = jax.vmap(lambda key: sample(key, jnp.asarray(row), top_p, temperature))(jax.random.split(jax.random.key(0), 40_000))
    exact = sorted_nucleus(np.asarray(jax.nn.softmax(row / temperature), np.float64), top_p)
    exact /= exact.sum()
    found = np.bincount(draws, minlength=12) / 40_000
    assert (found[exact == 0] == 0).all()
    error = np.sqrt(exact * (1 - exact) / 40_000)
    assert (np.abs(found - exact) <= 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("family", others_slow(*FAMILIES))
def test_greedy_writing_with_the_cache_equals_reading_everything_again(family):
    model = models.load(REFERENCES / family)
    found = generate(model, PROMPTS, seed=0, continuations=1, new_tokens=6, temperature=0.0).tokens[:, 0]
    texts = [[*prompt, *written] for prompt, written in zip(PROMPTS, found.tolist())]
    ids, mask = np.zeros((len(texts), 32), np.int32), np.zeros((len(texts), 32), bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, True
    whole = logits(model, ids, mask)
    for row, (prompt, text) in enumerate(zip(PROMPTS, texts)):
        for place in range(len(prompt), len(text)):
            assert whole[row, place - 1, text[place]] >= whole[row, place - 1].max() - 1e-4


@pytest.mark.slow
def test_continuations_depend_on_seed_and_prompt_id_alone(gpt2):
    whole = generate(gpt2, SHORT, seed=3, continuations=4, new_tokens=5)
    for batch_size in (1, 3):
        again = generate(gpt2, SHORT, seed=3, continuations=4, new_tokens=5, batch_size=batch_size)
        np.testing.assert_array_equal(again.tokens, whole.tokens)
    order = [2, 0, 3]
    some = generate(gpt2, [SHORT[row] for row in order], seed=3, continuations=4, new_tokens=5, prompt_ids=order)
    np.testing.assert_array_equal(some.tokens, whole.tokens[order])
    assert (generate(gpt2, SHORT, seed=4, continuations=4, new_tokens=5).tokens != whole.tokens).any()
    assert len({tuple(row) for row in whole.tokens[0]}) > 1
    twins = generate(gpt2, [SHORT[0]] * 2, seed=3, continuations=4, new_tokens=5)
    assert (twins.tokens[0] != twins.tokens[1]).any()


@pytest.mark.slow
def test_fewer_new_tokens_are_the_first_of_more(gpt2):
    long, short = (generate(gpt2, PROMPTS[:2], seed=3, continuations=3, new_tokens=count).tokens for count in (9, 4))
    np.testing.assert_array_equal(long[:, :, :4], short)


def test_a_text_ends_at_an_end_token_and_its_length_says_where(gpt2):
    ends = tuple(range(30))
    model = dataclasses.replace(gpt2, config=dataclasses.replace(gpt2.config, end_ids=ends))
    found = generate(model, PROMPTS, seed=1, continuations=10, new_tokens=8, top_p=1.0, temperature=3.0)
    for row, length in zip(found.tokens.reshape(-1, 8), found.lengths.reshape(-1)):
        is_end = np.isin(row, ends)
        assert length == (np.argmax(is_end) if is_end.any() else 8)
        assert (row[length:] == row[length : length + 1]).all()
    assert 0 < (found.lengths < 8).mean() < 1


@pytest.mark.parametrize("stops", others_slow((11, 40, 60), (11,), ()))
def test_writing_stops_at_any_token_that_the_settings_of_generation_name(gpt2, stops):
    config = dataclasses.replace(gpt2.config, end_ids=(7,), stop_ids=stops)
    found = generate(
        dataclasses.replace(gpt2, config=config), PROMPTS, seed=1, continuations=20, new_tokens=8, top_p=1.0, temperature=9.0
    )
    rows, lengths = found.tokens.reshape(-1, 8), found.lengths.reshape(-1)
    ended = [int(row[length]) for row, length in zip(rows, lengths) if length < 8]
    assert set(ended) == set(stops or (7,))
    assert not any(np.isin(row[:length], stops or (7,)).any() for row, length in zip(rows, lengths))


@pytest.mark.slow
def test_devices_do_not_matter(gpt2, tmp_path):
    program = (
        "import sys, numpy as np, jax\n"
        "from gotd_jax import models\n"
        "from gotd_jax.models.generation import generate\n"
        "assert jax.device_count() == 8\n"
        f"found = generate(models.load({str(REFERENCES / 'gpt2')!r}), {PROMPTS!r}, seed=3, continuations=4, new_tokens=5)\n"
        "np.save(sys.argv[1], found.tokens)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "tokens.npy")], check=True, env=processes.environment(8))
    one = generate(gpt2, PROMPTS, seed=3, continuations=4, new_tokens=5)
    np.testing.assert_array_equal(np.load(tmp_path / "tokens.npy"), one.tokens)


def test_what_cannot_be_continued_is_refused(gpt2, subtests):
    cases = [
        ([[1], []], {}, "Prompt 1 has 0 tokens"),
        ([[1] * 60], {}, r"Prompt 0 has 60 tokens\. With 20 new ones it may have 1 to 44"),
        ([[1], [88, 89]], {}, "Prompt 1 has the token 89, and the model's table of embeddings 89 rows"),
        ([[1]], {"top_p": 0.0}, r"top_p is 0\.0"),
        ([[1]], {"temperature": -1.0}, "temperature -1"),
        ([[1]], {"continuations": 0}, r"continuations \(0\)"),
    ]
    for prompts, change, message in cases:
        with subtests.test(prompts=prompts, change=change), pytest.raises(ValueError, match=message):
            generate(gpt2, prompts, seed=0, **change)

"""What every method obeys; a new one inherits all of it by its record."""

import functools
import hashlib
import json
import tracemalloc

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import METHODS, Problem, select
from gotd_jax.methods.problem import MAY_LACK

POOL, TARGET, BUDGET = 60, 7, 12
WORDS = ["the", "of", "cell", "protein", "court", "judge", "film", "actor", "gene", "trial", "scene", "law", "plot"]

RANDOM = {"random", "all_domains", "dapt", "mixture", "dsir", "tsds", "crisp"}
# Methods that draw nothing, by the options under which they do not.
DETERMINISTIC = {method: {} for method in METHODS if method not in RANDOM} | {"dsir": {"noise": 0.0}}
AWAY = 9
EMBEDDING = sorted(name for name, method in METHODS.items() if "embeddings" in method.reads)
HOME = "news"  # the whole pool is the task's home, of which `dapt` can select no more

every_method = pytest.mark.parametrize("method", METHODS)
every_deterministic_method = pytest.mark.parametrize("method", DETERMINISTIC)


def texts(count, seed):
    draws = np.random.default_rng(seed)
    return [" ".join(draws.choice(WORDS, 20)) for _ in range(count)]


def embed(corpus):
    """A vector for each text that depends on the text alone."""
    digests = (hashlib.sha256(text.encode()).digest() for text in corpus.texts())
    return np.stack([np.random.default_rng(list(digest)).normal(size=5) for digest in digests]).astype(np.float32)


def toxicity_of(corpus):
    """A number for each text that depends on the text alone."""
    digests = (hashlib.sha256(text.encode()).digest() for text in corpus.texts())
    return np.array([int.from_bytes(digest[:4], "big") / 2**32 for digest in digests], np.float32)


def losses_of(corpus):
    """Two numbers for each text that depend on the text alone."""
    return toxicity_of(corpus), embed(corpus)[:, 0]


def make_problem(pool=None, target=None, embed=embed, toxicity=toxicity_of, losses=losses_of):
    pool = Corpus.from_texts(texts(POOL, 0), domain=HOME) if pool is None else pool
    target = Corpus.from_texts(texts(TARGET, 1)) if target is None else target
    away = Corpus.from_texts(texts(AWAY, 2))
    return Problem(pool, target, embed, away=away, toxicity=lambda: toxicity(pool), losses=lambda: losses(pool), home=[HOME])


@functools.cache
def selected(method, budget=BUDGET, seed=0):
    """Returns what a method selects of the problem, once for all tests that look at it."""
    return select(method, make_problem(), budget, seed=seed)


@every_method
def test_rows_are_distinct_positions_of_the_budget(method):
    rows = selected(method).rows
    assert rows.dtype == np.int64
    assert len(rows) == len(set(rows.tolist())) == (0 if method == "none" else BUDGET)
    assert all(0 <= row < POOL for row in rows)


@every_method
def test_the_whole_pool_can_be_selected(method):
    rows = selected(method, POOL).rows
    assert sorted(rows.tolist()) == ([] if method == "none" else list(range(POOL)))


@every_method
def test_the_same_seed_selects_the_same_rows(method):
    first, second = selected(method, seed=3), select(method, make_problem(), BUDGET, seed=3)
    np.testing.assert_array_equal(first.rows, second.rows)


@pytest.mark.parametrize("method", sorted(RANDOM))
def test_another_seed_selects_other_rows(method):
    first, second = (selected(method, seed=seed) for seed in (3, 4))
    assert set(first.rows.tolist()) != set(second.rows.tolist())


@every_deterministic_method
def test_the_seed_does_not_matter_to_a_deterministic_method(method):
    first, second = (select(method, make_problem(), BUDGET, seed=seed, **DETERMINISTIC[method]) for seed in (3, 4))
    np.testing.assert_array_equal(first.rows, second.rows)


@every_deterministic_method
def test_a_permuted_pool_gives_the_same_texts_in_the_same_order(method):
    problem, options = make_problem(), DETERMINISTIC[method]
    permuted = make_problem(problem.pool.take(np.random.default_rng(5).permutation(POOL)))
    straight, other = (select(method, given, BUDGET, seed=0, **options) for given in (problem, permuted))
    assert problem.pool.take(straight.rows).ids == permuted.pool.take(other.rows).ids
    if straight.values is not None:
        position = np.argsort([int(id) for id in permuted.pool.ids])
        np.testing.assert_allclose(other.values[position], straight.values, rtol=1e-5, atol=1e-5)


@every_deterministic_method
def test_a_smaller_budget_selects_the_best_of_a_larger_one(method):
    small, large = (select(method, make_problem(), budget, seed=0, **DETERMINISTIC[method]).rows for budget in (5, 30))
    np.testing.assert_array_equal(small, large[: len(small)])


@every_method
def test_values_are_float32_for_every_candidate_and_never_nan(method):
    values = selected(method).values
    if values is not None:
        assert values.dtype == np.float32 and values.shape == (POOL,)
        assert not np.isnan(values).any() and not np.isneginf(values).any()


@every_deterministic_method
def test_selected_rows_have_the_lowest_values_in_order(method):
    selection = select(method, make_problem(), BUDGET, seed=0, **DETERMINISTIC[method])
    if selection.values is not None:
        chosen = selection.values[selection.rows]
        assert np.isfinite(chosen).all() and (np.diff(chosen) >= 0).all()
        assert chosen.max() <= np.delete(selection.values, selection.rows).min()


@every_method
def test_values_do_not_depend_on_the_seed(method):
    first, second = (selected(method, seed=seed).values for seed in (3, 4))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.valued != "none"])
def test_noise_draws_a_sample_by_the_seed_and_leaves_the_values(method):
    noisy = [
        select(method, make_problem(), budget, seed=seed, noise=2.0) for budget, seed in ((BUDGET, 3), (5, 3), (BUDGET, 4))
    ]
    rows = noisy[0].rows
    assert rows.dtype == np.int64 and len(set(rows.tolist())) == BUDGET
    np.testing.assert_array_equal(noisy[1].rows, rows[:5])
    assert set(rows.tolist()) != set(noisy[2].rows.tolist())
    if method not in RANDOM:  # a sample of its own has the same noise, at another temperature
        assert set(rows.tolist()) != set(selected(method, seed=3).rows.tolist())
    if METHODS[method].valued == "all":
        np.testing.assert_array_equal(noisy[0].values, selected(method, seed=3).values)


@pytest.mark.parametrize("method", ["none", "random", "got_d"])
def test_what_no_method_can_select_is_refused_with_its_numbers(method):
    nothing = Corpus.from_texts([])
    for problem, budget, message in (
        (make_problem(), POOL + 1, f"budget of {POOL + 1} chunks exceeds the pool of {POOL}"),
        (make_problem(), 0, "budget is 0 chunks"),
        (make_problem(), -4, "budget is -4 chunks"),
        (make_problem(pool=nothing), 1, "pool is empty"),
        (make_problem(target=nothing), 1, "target set is empty"),
    ):
        with pytest.raises(ValueError, match=message):
            select(method, problem, budget, seed=0)


def test_an_unknown_method_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'gotd'.*dsir.*got_d"):
        select("gotd", make_problem(), BUDGET, seed=0)


@every_method
def test_ids_do_not_matter_and_domains_only_to_methods_that_read_them(method):
    domain = HOME if "domains" in METHODS[method].reads else "domain {}"
    renamed = Corpus.from_records(
        {"text": text, "id": f"other {row % 10} {row}", "domain": domain.format(row % 3)}
        for row, text in enumerate(texts(POOL, 0))
    )
    first, second = selected(method), select(method, make_problem(renamed), BUDGET, seed=0)
    np.testing.assert_array_equal(first.rows, second.rows)


@every_method
def test_the_problem_is_left_as_it_was(method):
    problem = make_problem()
    before = problem.pool.fingerprint, problem.target.fingerprint, problem.candidates.copy(), problem.targets.copy()
    problem.candidates.flags.writeable = problem.targets.flags.writeable = False
    select(method, problem, BUDGET, seed=0)
    assert (problem.pool.fingerprint, problem.target.fingerprint) == before[:2]
    np.testing.assert_array_equal(problem.candidates, before[2])
    np.testing.assert_array_equal(problem.targets, before[3])


@every_method
def test_a_method_embeds_only_if_it_reads_embeddings(method):
    embedded = []

    def counting(corpus):
        embedded.append(len(corpus))
        return embed(corpus)

    select(method, make_problem(embed=counting), BUDGET, seed=0)
    sides = {"target": TARGET, "away": AWAY, "embeddings": POOL}
    read = METHODS[method].reads
    assert sorted(embedded) == sorted(sides[side] for side in sides.keys() & read if "embeddings" in read)


@every_method
def test_a_method_scores_the_pool_only_if_it_reads_toxicity(method):
    scored = []

    def counting(corpus):
        scored.append(len(corpus))
        return toxicity_of(corpus)

    select(method, make_problem(toxicity=counting), BUDGET, seed=0)
    assert scored == ([POOL] if "toxicity" in METHODS[method].reads else [])


@every_method
def test_a_method_has_the_pool_read_by_a_model_only_if_it_reads_losses(method):
    read = []

    def counting(corpus):
        read.append(len(corpus))
        return losses_of(corpus)

    select(method, make_problem(losses=counting), BUDGET, seed=0)
    assert read == ([POOL] if "losses" in METHODS[method].reads else [])


@every_method
def test_another_target_home_or_text_to_avoid_changes_the_selection_of_methods_that_read_it_alone(method):
    pool = Corpus.from_records({"text": text, "domain": (HOME, "law")[row % 2]} for row, text in enumerate(texts(POOL, 0)))
    usual, reads = select(method, make_problem(pool), BUDGET, seed=0).rows, METHODS[method].reads | METHODS[method].may_read
    changes = {"target": Corpus.from_texts(["court judge law"]), "home": ["law"], "away": Corpus.from_texts(["film actor"])}
    changes["reference"] = Corpus.from_texts(["film actor", "film scene", "court law"])
    for noun, other in changes.items():
        of_models_of_another_target = (lambda pool: losses_of(pool)[::-1]) if noun == "target" else losses_of
        problem = make_problem(pool, losses=of_models_of_another_target)
        setattr(problem, noun, other)
        assert np.array_equal(select(method, problem, BUDGET, seed=0).rows, usual) != (noun in reads), noun


@pytest.mark.parametrize("method", sorted(name for name, method in METHODS.items() if method.reads & MAY_LACK.keys()))
def test_a_method_without_what_it_reads_is_refused_with_the_remedy(method):
    problem, (lacking,) = make_problem(), METHODS[method].reads & MAY_LACK.keys()
    bare = Problem(problem.pool, problem.target, lambda corpus: pytest.fail("embedded before it was refused"))
    with pytest.raises(ValueError, match=rf"The method {method} reads .* was given none\. Give .*{lacking}="):
        select(method, bare, BUDGET, seed=0)


@every_method
def test_info_can_be_written_as_json(method):
    info = selected(method).info
    assert json.loads(json.dumps(info, allow_nan=False)) == info


@pytest.mark.parametrize("method", EMBEDDING)
def test_embeddings_kept_in_float16_select_what_the_same_numbers_do_in_float32(method):
    def scaled(corpus):
        return (100 * embed(corpus)).astype(np.float16)  # the squares of such numbers are beyond float16

    half, single = (make_problem(embed=read) for read in (scaled, lambda corpus: scaled(corpus).astype(np.float32)))
    found, expected = (select(method, problem, BUDGET, seed=0) for problem in (half, single))
    assert half.candidates.dtype == np.float16
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)


@pytest.mark.parametrize(
    "method",
    [
        "got_d",
        "top_cosine",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("contrast", "tapt_c", "rds_plus", "csls")),
    ],
)
def test_a_file_of_float16_is_never_widened_whole(method, tmp_path):
    rows, dimensions = 120_000, 64
    np.save(tmp_path / "half.npy", np.random.default_rng(0).normal(size=(rows, dimensions)).astype(np.float16))
    kept, near = np.load(tmp_path / "half.npy", mmap_mode="r"), np.random.default_rng(1).normal(size=(AWAY, dimensions))
    pool, few = Corpus.from_texts([str(row) for row in range(rows)]), Corpus.from_texts([str(row) for row in range(AWAY)])
    problem = Problem(pool, few, lambda corpus: kept if corpus is pool else near.astype(np.float16), away=few)
    options = {"solver": "semidual", "epsilon": 0.2} if METHODS[method].solves else {}
    select(method, make_problem(), BUDGET, seed=0, **options)  # what is imported at first use is not the file's
    tracemalloc.start()
    select(method, problem, BUDGET, seed=0, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows * dimensions * 4 * 0.8

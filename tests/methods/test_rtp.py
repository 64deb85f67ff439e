import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

POOL = Corpus.from_texts([f"text {row}" for row in range(40)])


def problem(toxicity):
    return Problem(POOL, Corpus.from_texts(["target"]), lambda corpus: pytest.fail("nothing is embedded"), toxicity=toxicity)


def test_the_least_toxic_are_selected_least_first():
    toxicity = np.random.default_rng(0).permutation(40).astype(np.float32) / 40
    selection = select("rtp", problem(lambda: toxicity), 7, seed=3)
    assert selection.rows.tolist() == np.argsort(toxicity)[:7].tolist()
    np.testing.assert_array_equal(selection.values, toxicity)


def test_equally_toxic_candidates_are_drawn_from_the_whole_pool_by_the_seed():
    toxicity = np.zeros(40, np.float32)
    toxicity[30:] = 1
    first, again, other = (select("rtp", problem(lambda: toxicity), 10, seed=seed).rows for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    assert first.max() >= 10 and (first < 30).all()


def test_a_smaller_budget_of_the_same_seed_begins_a_larger_one():
    small, large = (select("rtp", problem(lambda: np.zeros(40, np.float32)), budget, seed=5).rows for budget in (4, 20))
    assert small.tolist() == large[:4].tolist()


def test_info_says_how_many_toxicities_there_are_to_rank_by():
    toxicity = np.repeat([0.0, 0.5, 1.0], [10, 20, 10]).astype(np.float32)
    info = select("rtp", problem(lambda: toxicity), 15, seed=0).info
    assert info == {"different_toxicities": 3}


def test_without_a_scorer_it_is_an_error_that_names_the_remedy():
    with pytest.raises(ValueError, match=r"rtp reads the toxicity .* was given none\. .*toxicity=function"):
        select("rtp", problem(None), 1, seed=0)


@pytest.mark.parametrize("scores", [np.zeros(39), np.full(40, np.nan), np.zeros((40, 1))])
def test_scores_that_are_not_one_finite_number_a_candidate_are_refused(scores):
    with pytest.raises(ValueError, match=r"pool of 40"):
        select("rtp", problem(lambda: scores), 1, seed=0)

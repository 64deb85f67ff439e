import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

POOL = Corpus.from_texts([f"text {row}" for row in range(40)])
RNG = np.random.default_rng(0)
BEFORE, AFTER = (RNG.uniform(1, 5, 40).astype(np.float32) for _ in range(2))


def problem(losses):
    return Problem(POOL, Corpus.from_texts(["target"]), lambda corpus: pytest.fail("nothing is embedded"), losses=losses)


def test_those_whose_loss_falls_the_most_are_selected_first():
    selection = select("loss_difference", problem(lambda: (BEFORE, AFTER)), 7, seed=3)
    assert selection.rows.tolist() == np.argsort(AFTER - BEFORE)[:7].tolist()
    np.testing.assert_array_equal(selection.values, AFTER - BEFORE)


def test_text_that_is_easy_both_before_and_after_is_not_chosen_over_what_gains():
    before, after = np.full(40, 3.0), np.full(40, 3.0)
    before[:20], after[:20] = 0.1, 0.1
    before[30], after[30] = 9.0, 8.0
    selection = select("loss_difference", problem(lambda: (before, after)), 1, seed=0)
    assert selection.rows.tolist() == [30]


def test_normalised_it_is_the_share_of_the_loss_that_goes():
    selection = select("loss_difference", problem(lambda: (BEFORE, AFTER)), 7, seed=0, normalised=True)
    assert selection.rows.tolist() == np.argsort(AFTER / BEFORE)[:7].tolist()
    np.testing.assert_allclose(selection.values, AFTER / BEFORE - 1, atol=1e-6)


def test_a_hard_text_that_loses_more_nats_comes_after_an_easy_one_that_loses_a_greater_share_where_normalised():
    before, after = np.full(40, 3.0), np.full(40, 3.0)
    before[30], after[30], before[7], after[7] = 9.0, 8.0, 1.0, 0.4
    for normalised, first in ((False, [30, 7]), (True, [7, 30])):
        given = problem(lambda: (before, after))
        assert select("loss_difference", given, 2, seed=0, normalised=normalised).rows.tolist() == first


def test_a_text_without_a_loss_has_nothing_to_lose_and_losses_below_zero_cannot_divide():
    before = np.where(np.arange(40) == 3, 0, BEFORE)
    values = select("loss_difference", problem(lambda: (before, before + 1)), 1, seed=0, normalised=True).values
    assert values[3] == 0 and (np.delete(values, 3) > 0).all()
    with pytest.raises(ValueError, match="1 of 40 losses before are below 0"):
        select("loss_difference", problem(lambda: (before - 0.5, before)), 1, seed=0, normalised=True)


def test_info_says_how_the_losses_moved():
    before, after = np.full(40, 3.0), np.repeat([2.0, 3.0, 5.0], [10, 20, 10])
    info = select("loss_difference", problem(lambda: (before, after)), 3, seed=0).info
    assert info == {"mean_loss_before": 3.0, "mean_loss_after": 3.25, "candidates_that_gain": 10}


def test_without_a_model_it_is_an_error_that_names_the_remedy():
    with pytest.raises(ValueError, match=r"was given none\. .*losses=function.*text_losses"):
        select("loss_difference", problem(None), 1, seed=0)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ((BEFORE[:39], AFTER), r"39 and 40 finite numbers, shapes \[\[39\], \[40\]\], for a pool of 40"),
        ((BEFORE, np.full(40, np.nan)), "40 and 0 finite numbers"),
        ((BEFORE,), r"shapes \[\[40\]\]"),
        ((BEFORE[:, None], AFTER), r"shapes \[\[40, 1\], \[40\]\]"),
    ],
)
def test_losses_that_are_not_two_finite_numbers_a_candidate_are_refused(losses, message):
    with pytest.raises(ValueError, match=message):
        select("loss_difference", problem(lambda: losses), 1, seed=0)

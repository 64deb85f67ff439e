import dataclasses

import pytest

from gotd_jax.training.recipe import Recipe


def test_linear_schedule_falls_from_the_learning_rate_to_one_step_above_zero():
    recipe = Recipe(learning_rate=1e-4)
    rates = [recipe.learning_rate_at(step, 4) for step in range(4)]
    assert rates == pytest.approx([1e-4, 0.75e-4, 0.5e-4, 0.25e-4])


def test_learning_rate_rises_linearly_from_zero_during_warm_up():
    recipe = Recipe(learning_rate=1.0, warmup_share=0.25)
    rates = [recipe.learning_rate_at(step, 10) for step in range(10)]  # 3 of 10 steps: 2.5 rounded up
    assert rates == pytest.approx([0, 1 / 3, 2 / 3, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7])


def test_constant_schedule_stays_after_warm_up():
    recipe = Recipe(learning_rate=1.0, warmup_share=0.5, schedule="constant")
    assert [recipe.learning_rate_at(step, 4) for step in range(4)] == [0, 0.5, 1, 1]


def test_defaults_are_those_of_table_8():
    recipe = Recipe()
    assert (recipe.max_length, recipe.batch_size, recipe.learning_rate, recipe.epochs) == (295, 64, 1e-4, 1)
    assert (recipe.weight_decay, recipe.mask_share, recipe.schedule, recipe.warmup_share) == (1e-2, 0.15, "linear", 0)


def test_values_that_make_no_sense_are_refused_by_name(subtests):
    cases = [
        ("schedule", "cosine"),
        ("choose", "test"),
        ("epochs", 0),
        ("epochs", 2.5),
        ("max_steps", -1),
        ("dropout", "no"),
        ("learning_rate", -1.0),
        ("mask_share", 1.5),
        ("warmup_share", -0.1),
    ]
    for field, value in cases:
        with subtests.test(field=field), pytest.raises(ValueError, match=f"Recipe.{field} is {value!r}"):
            Recipe(**{field: value})


def test_runs_that_differ_in_length_or_learning_rate_alone_share_an_optimiser():
    recipe = Recipe()
    assert dataclasses.replace(recipe, epochs=3, learning_rate=1e-6, schedule="constant").optimiser == recipe.optimiser
    assert dataclasses.replace(recipe, beta2=0.95).optimiser != recipe.optimiser


def test_training_ends_after_the_epochs_or_the_most_steps_whichever_comes_first():
    assert [Recipe(epochs=3, max_steps=most).steps(5) for most in (0, 4, 7, 15, 99)] == [15, 4, 7, 15, 15]


def test_the_best_of_epochs_that_are_cut_short_is_refused():
    with pytest.raises(ValueError, match=r"Recipe\.max_steps is 3, and of whole epochs the 'best' is chosen"):
        Recipe(max_steps=3, choose="best")

"""The random projection of trees: inner products kept to the error of Johnson and Lindenstrauss, and how it is put together."""

import jax
import numpy as np
import pytest

from gotd_jax.training.projection import draw_signs, project

SIZE = 64


def tree_of(random):
    return {"a": random.standard_normal((30, 40)), "b": {"c": random.standard_normal(700), "d": random.standard_normal(3)}}


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def projected(trees, size, seed):
    signs = draw_signs(trees[0], size, seed)
    return np.stack([np.asarray(project(tree, signs)) for tree in trees])


def test_inner_products_are_right_on_average_and_within_the_error_of_a_projection_to_so_few_numbers():
    random = np.random.default_rng(0)
    x = tree_of(random)
    y = jax.tree.map(lambda leaf: 0.3 * leaf + random.standard_normal(leaf.shape), x)
    exact = flat(x) @ flat(y)
    lengths = np.linalg.norm(flat(x)) * np.linalg.norm(flat(y))
    found = np.array([np.prod(projected([x, y], SIZE, seed), axis=0).sum() for seed in range(100)])
    error = np.sqrt((1 + (exact / lengths) ** 2) / SIZE) * lengths  # a dense matrix of random signs has it
    assert abs(found.mean() - exact) < 4 * error / np.sqrt(100)
    assert 0.65 * error < found.std() < 1.3 * error


def test_a_tree_that_lies_in_one_column_of_its_blocks_is_spread_over_all_numbers():
    heavy = np.zeros((50, SIZE))
    heavy[:, 7] = np.random.default_rng(0).standard_normal(50)  # as where a hidden state has one great dimension
    lengths = [np.linalg.norm(projected([{"a": heavy}], SIZE, seed)) / np.linalg.norm(heavy) for seed in range(50)]
    assert np.std(lengths) < 2 / np.sqrt(SIZE)
    (found,) = projected([{"a": heavy}], SIZE, 0)
    assert np.square(found).max() < 0.3 * np.square(found).sum()


def test_a_single_block_is_turned_and_loses_nothing():
    random = np.random.default_rng(0)
    x, y = ({"a": random.standard_normal(SIZE - 9)} for _ in range(2))
    found = projected([x, y], SIZE, 3)
    np.testing.assert_allclose(found @ found.T, flat_gram(x, y), rtol=1e-5, atol=1e-5)


def flat_gram(*trees):
    rows = np.stack([flat(tree) for tree in trees])
    return rows @ rows.T


def test_it_is_linear_and_depends_on_the_seed():
    random = np.random.default_rng(0)
    x, y = tree_of(random), tree_of(random)
    both = jax.tree.map(lambda one, other: 2 * one - other, x, y)
    found = projected([x, y, both], SIZE, 0)
    np.testing.assert_allclose(found[2], 2 * found[0] - found[1], atol=1e-3)
    assert np.abs(projected([x], SIZE, 1) - found[0]).max() > 1


@pytest.mark.parametrize("size", [2, 32, 128, 1024])
def test_any_power_of_two_keeps_the_length_of_a_block(size):
    x = {"a": np.random.default_rng(0).standard_normal(size)}
    assert np.linalg.norm(projected([x], size, 0)) == pytest.approx(np.linalg.norm(x["a"]), rel=1e-5)


@pytest.mark.parametrize("size", [0, 3, 1000])
def test_another_size_is_refused(size):
    with pytest.raises(ValueError, match="power of two of numbers"):
        draw_signs({"a": np.zeros(4)}, size, 0)

"""The linear scorer against the package's own objects, which only this test unpickles, after their hash was checked."""

import dataclasses
import io

import joblib
import numpy as np
import pytest

from gotd_jax.data import packages, pools
from gotd_jax.data.toxic_texts import packaged_toxic_texts
from gotd_jax.evaluation import linear_scorer
from gotd_jax.evaluation.linear_scorer import LinearModel, extract, load, read, save
from gotd_jax.files import cache_folder

PACKAGE = "alt-profanity-check"


def member(name):
    with packages.open_member(PACKAGE, f"profanity_check/data/{name}.joblib") as file:
        return file.read()


@pytest.fixture(scope="module")
def model():
    return extract(member("vectorizer"), member("model"))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache with nothing in it but the package."""
    wheel = packages.fetch(PACKAGE)
    monkeypatch.setenv("GOTD_CACHE", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "packages" / wheel.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(wheel.read_bytes())
    return tmp_path / "cache"


def small_model(**changes):
    one = np.ones(1)
    model = LinearModel(["b", "good"], r"\w+", np.ones(2), np.array([[2.0, -1.0]]), one, -2 * one, 0.5 * one)
    return dataclasses.replace(model, **changes)


def test_probabilities_equal_the_packages_own(model):
    texts = [record["text"] for record in packaged_toxic_texts()[:300]]
    texts += [row["text"] for row, _ in zip(pools.load_domain("news"), range(100))]
    texts += [
        "",
        " ",
        "a",
        "the of and",
        "ça c'est de la merde, Schei\u00dfe \u5c4e \U0001f4a9",
        "FUCK\u2019s \ufb01x\tit\n",
        "\x00",
    ]
    texts += ["shit happens and " * 20_000]
    vectoriser, classifier = (joblib.load(io.BytesIO(member(name))) for name in ("vectorizer", "model"))
    expected = classifier.predict_proba(vectoriser.transform(texts))[:, 1]
    assert expected.min() < 0.1 and expected.max() > 0.9
    np.testing.assert_allclose(model.probabilities(texts), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(load().score(texts), expected, rtol=0, atol=1e-7)


def test_the_probability_is_the_formulas():
    expected = 1 / (1 + np.exp(-2 * (np.array([2.0, -1.0, (2.0 - 1.0) / np.sqrt(2), 0.0]) + 1) + 0.5))
    np.testing.assert_allclose(small_model().probabilities(["b", "Good", "good b", "other"]), expected, rtol=1e-12)


def test_the_numbers_are_taken_out_once_and_read_from_the_cache_later(own_cache, monkeypatch):
    first = load().score(["you idiot"])
    (own_cache / "packages").rename(own_cache / "gone")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(linear_scorer, "extract", None)
    np.testing.assert_array_equal(load().score(["you idiot"]), first)
    assert [path.suffix for path in (own_cache / "models").iterdir()] == [".safetensors"]


def test_a_writing_stopped_in_the_middle_leaves_nothing(own_cache, monkeypatch):
    def stopped(arrays, path, **_):
        path.write_bytes(b"some")
        raise KeyboardInterrupt

    monkeypatch.setattr(linear_scorer, "save_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert list((own_cache / "models").iterdir()) == []


def test_a_package_cut_short_is_refused(own_cache):
    wheel = next((own_cache / "packages").iterdir())
    wheel.write_bytes(wheel.read_bytes()[:-1])
    with pytest.raises(RuntimeError, match=r"has the sha256 .* Delete it"):
        load()
    assert not (own_cache / "models").exists()


def test_kept_numbers_that_are_damaged_are_refused_with_the_remedy(own_cache):
    load()
    kept = next((cache_folder() / "models").iterdir())
    kept.write_bytes(kept.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"safetensors is damaged .* Delete it; it will be made again"):
        load()


def test_a_model_is_read_as_it_was_saved(tmp_path):
    save(small_model(), tmp_path / "model.safetensors")
    found = read(tmp_path / "model.safetensors")
    for field in dataclasses.fields(LinearModel):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(small_model(), field.name))


def test_words_of_another_kind_of_vectoriser_are_refused(model):
    content = member("vectorizer").replace(b"\x8c\x04norm\x94\x8c\x02l2", b"\x8c\x04norm\x94\x8c\x02l1")
    with pytest.raises(ValueError, match=r"holds a model of another kind, its words with \{'norm': 'l1'\}"):
        extract(content, member("model"))


def test_numbers_that_do_not_fit_together_are_refused(subtests):
    cases = [
        ({"weights": np.ones((1, 3))}, r"weights of the linear scorer should be \[1, 2\] finite numbers and is \[1, 3\]"),
        ({"idf": np.array([1.0, np.nan])}, r"idf .* \[2\] finite numbers and is \[2\], 1 of them not finite"),
        ({"words": ["bad", "bad"]}, r"The 2 words of the linear scorer are only 1 different"),
        ({"intercepts": np.ones(0)}, r"should be"),
    ]
    for changes, message in cases:
        with subtests.test(changes=changes), pytest.raises(ValueError, match=message):
            small_model(**changes)

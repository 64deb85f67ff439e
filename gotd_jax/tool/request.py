"""A person's request: their pool, their target, a budget, and how to choose."""

from __future__ import annotations

import dataclasses
import math
import os

from gotd_jax.tool.budget import Budget

FORMATS = ("jsonl", "parquet")
# The rule of got_d where nothing else is asked for; with an epsilon of 0.01 and debias=0 it is the published one.
EPSILON = 0.05
DEBIAS = 2_000
# The request's field for each optional input of a method.
GIVEN_BY = {"home": "home", "away": "away", "toxicity": "scorer", "losses": "language_model", "reference": "reference"}


@dataclasses.dataclass(frozen=True)
class Request:
    """Everything that a selection depends on.

    Attributes:
      pool: files, globs, folders, `hf:owner/name:split` or `tfds:name:split`; `law=cases/*.jsonl` names the domain.
      target: texts of the task, named in the same ways; several have a share of the budget each.
      budget: chunks (50_000), tokens (2M-tokens) or a share of the pool (1.5%).
      shares: of the budget, one a target; equal ones by default.
      together: whether several targets are one problem, each with its share of the mass, in place of a ranking and a share of
        the budget for each: for methods that solve, got_d and contrast.
      leak_check: files of texts to be tested on: chunks of the pool that hold them are refused.
      method: one of gotd_jax.methods.METHODS but none.
      options: of the method, `buckets=5000 noise=0` for dsir; an unknown name is answered with the known ones. got_d has
        debias=2000 here where none says otherwise; debias=0, with an epsilon of 0.01, is the rule as published.
      away: texts to move away from, for a method that reads them: contrast.
      reference: texts of the kind that the model to be trained was pre-trained on, for got_d: they stand for the model's
        distribution in place of the pool.
      home: domains of the pool that the task belongs to, for a method that reads them: dapt.
      scorer: of toxicity, for a method that reads it: rtp. It is linear, lexicon, or a Hugging Face folder or hub name of a
        classifier.
      language_model: the model to be pre-fine-tuned, for a method that reads its losses: loss_difference. It is a folder, a
        hub name or a packaged model.
      model: embeds the texts: a Hugging Face folder or hub name, or a packaged model.
      layers: of the model that are read; 0 is its embeddings of tokens, far faster and coarser. All by default.
      max_length: tokens of a text that the model reads; by default as many as its folder says, else 256.
      pooling: of the last hidden states over a text's tokens: mean, position (later ones count more), cls (the first), last.
        As the model's folder says by default (sentence-transformers' modules.json), else mean. Or gradient: a text's vector is
        the gradient of the model's own loss of it, projected, as for a language model that is to be trained (LESS).
      normalise: how vectors are scaled: none, unit (to length one), own (as the model's folder says), or by the pool: centred
        (less its mean), whitened (by its covariance), both then to length one. By default unit for sentence encoders and
        gradients, else none.
      shrinkage: of the covariance of whitened vectors toward a multiple of the identity, from 0 to 1.
      directions: of the largest variance, that whitened vectors keep; all by default.
      gradient_layers: last layers of the model whose parameters' gradient is taken; of all its parameters by default.
      gradient_size: numbers that a gradient is projected to, a power of two.
      embedding_dtype: dtype of the embeddings kept: float32, or float16 for half the space.
      tokenizer: Hugging Face folder or hub name of the tokens that a budget counts; the model's by default.
      characters: length of a chunk of the pool; longer texts are split, 0 keeps them whole.
      text_field: field of a row with the text; `meta.text` is the field text of the field meta.
      id_field: field with the id.
      domain_field: field with the domain; by default a domain is a source of `pool`.
      target_text_field: field with the text of target and leak_check, where it differs from text_field.
      near_duplicates: Jaccard similarity of word shingles from which texts count as near duplicates; 1 leaves only copies.
      epsilon: entropic regularisation, as a share of the mean cost, of the report and of methods that solve: got_d, contrast.
      seed: of all random choices.
      format: of the chosen text, jsonl or parquet.
      parts: number of files that the chosen text is split into.
    """

    pool: tuple[str, ...]
    target: tuple[str, ...]
    budget: str
    shares: tuple[float, ...] = ()
    together: bool = False
    leak_check: tuple[str, ...] = ()
    method: str = "got_d"
    options: dict[str, bool | int | float | str | None] = dataclasses.field(default_factory=dict)
    away: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    scorer: str | None = None
    language_model: str | None = None
    model: str = "all-MiniLM-L6-v2"
    layers: int | None = None
    max_length: int | None = None
    pooling: str | None = None
    normalise: str | None = None
    shrinkage: float = 0.1
    directions: int | None = None
    gradient_layers: int | None = None
    gradient_size: int = 1024
    embedding_dtype: str = "float32"
    tokenizer: str | None = None
    characters: int = 1000
    text_field: str = "text"
    id_field: str = "id"
    domain_field: str | None = None
    target_text_field: str | None = None
    near_duplicates: float = 0.8
    epsilon: float = EPSILON
    seed: int = 0
    format: str = "jsonl"
    parts: int = 1

    def __post_init__(self):
        for name in ("pool", "target", "shares", "leak_check", "away", "reference", "home"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, (str, os.PathLike)) else tuple(given))
        object.__setattr__(self, "budget", str(self.budget))
        Budget.parse(self.budget)
        for name in ("pool", "target"):
            if not getattr(self, name):
                raise ValueError(f"No {name} is named. Give files with text in them.")
        positive = all(0 < share < math.inf for share in self.shares)
        if self.shares and (len(self.shares) != len(self.target) or not positive):
            raise ValueError(
                f"There are {len(self.target)} targets and the shares {self.shares}. Give each a number above 0, or none."
            )
        if self.format not in FORMATS:
            raise ValueError(f"The format is {self.format!r}. It can be: {', '.join(FORMATS)}.")
        for name in ("max_length", "parts"):
            if (given := getattr(self, name)) is not None and given < 1:
                raise ValueError(f"{name} is {given}. It must be at least 1.")
        if not 0 < self.near_duplicates <= 1:
            raise ValueError(f"near_duplicates is {self.near_duplicates}. It is a similarity: above 0, at most 1.")
        if not 0 < self.epsilon < math.inf:
            raise ValueError(f"epsilon is {self.epsilon}. It is a share of the mean cost: a number above 0.")
        self._check_method()

    @property
    def budget_shares(self) -> tuple[float, ...]:
        """The share of the budget of each problem: of each target, or of all of them together."""
        return (1.0,) if self.together else self.shares or len(self.target) * (1.0,)

    @property
    def arguments(self) -> dict:
        """The method's arguments besides its problem, budget and seed."""
        from gotd_jax.methods import METHODS

        return self._options | ({"epsilon": self.epsilon} if METHODS[self.method].solves else {})

    @property
    def embedding(self) -> dict:
        """Which model embeds the texts and how: the arguments of `gotd_jax.pipeline.embedder.Embedder` but its work folder."""
        names = ("model", "layers", "pooling", "normalise", "shrinkage", "directions", "gradient_layers", "gradient_size")
        asked = {name: getattr(self, name) for name in (*names, "max_length", "seed")}
        return asked | {"dtype": self.embedding_dtype}

    def to_dict(self) -> dict:
        """Returns the request JSON-like, with the options that nobody gave; `Request(**d)` asks for the same again."""
        fields = dataclasses.asdict(self) | {"options": self._options}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    @property
    def _options(self) -> dict:
        """The method's options, those of got_d with a debiased gradient; a finite share and the notebook's call have none."""
        plain = self.method != "got_d" or self.options.get("share") or self.options.get("solver") == "published"
        return self.options if plain else {"debias": DEBIAS} | self.options

    def _check_method(self) -> None:
        """Raises ValueError unless the method's inputs are given, and no others, and its options are valid; parses these."""
        from gotd_jax import methods  # loads JAX, which `gotd --help` does not wait for

        method = methods.find(self.method)
        if not method.selects:
            raise ValueError(f"The method {method.name} selects nothing. Name another.")
        if self.together and not method.solves:
            solving = ", ".join(other.name for other in methods.METHODS.values() if other.solves)
            raise ValueError(
                f"The method {method.name} solves no problem that several targets could share. Leave --together out, and each "
                f"target has a share of the budget. It goes with {solving}."
            )
        given = {noun for noun, field in GIVEN_BY.items() if getattr(self, field)}
        remedies = {noun: f"Give --{field.replace('_', '-')}, in Python {field}=..." for noun, field in GIVEN_BY.items()}
        method.check_given(given, remedies)
        for noun in sorted(given - method.reads - method.may_read):
            readers = [other.name for other in methods.METHODS.values() if noun in other.reads | other.may_read]
            raise ValueError(
                f"The method {method.name} does not read {GIVEN_BY[noun]}, which is given. It goes with {', '.join(readers)}."
            )
        if "epsilon" in self.options:
            raise ValueError("epsilon is no option but a field of the request. Give it as --epsilon, in Python epsilon=...")
        object.__setattr__(self, "options", method.parse(self.options))

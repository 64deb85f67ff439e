"""What a person asks for: their pool, their target, a budget, and how to choose."""

from __future__ import annotations

import dataclasses
import math
import os

from gotd_jax.tool.budget import Budget

FORMATS = ("jsonl", "parquet")
READ_BESIDES = {"contrast": "away", "dapt": "home", "rtp": "scorer", "loss_difference": "language_model"}


@dataclasses.dataclass(frozen=True)
class Request:
    """Everything that a selection depends on.

    Attributes:
      pool: files, globs, folders, `hf:owner/name:split` or `tfds:name:split`; `law=cases/*.jsonl` names the domain.
      target: likewise, texts of the task; several have a share of the budget each.
      budget: chunks (50_000), tokens (2M-tokens) or a share of the pool (1.5%).
      shares: of the budget, one a target; equal ones by default.
      leak_check: files of texts to be tested on: what the pool holds of them is refused.
      method: one of gotd_jax.methods.METHODS but none.
      away: for the method contrast: texts to move away from.
      home: for the method dapt: domains of the pool that the task belongs to.
      scorer: for the method rtp: of toxicity, linear, lexicon, or a Hugging Face folder or hub name of a classifier.
      language_model: for the method loss_difference: what is to be warmed up, a folder, hub name or packaged model likewise.
      model: embeds the texts: a Hugging Face folder or hub name, or a packaged model.
      layers: of an encoder that are read; 0 is its embeddings of tokens, far faster and coarser. All by default.
      max_length: tokens of a text that the model reads; by default as many as its folder says, else 256.
      pooling: of the last hidden states over a text's tokens: mean, position (later ones count more), cls (the first), last.
        As the model's folder says by default (sentence-transformers' modules.json), else mean.
      normalise: whether embeddings are scaled to unit length; as the model's folder says by default, else not.
      embedding_dtype: in which embeddings are kept, float32, or float16 in half the room.
      tokenizer: Hugging Face folder or hub name of the tokens that a budget counts; the model's by default.
      characters: length of a chunk of the pool; longer texts are split, 0 keeps them whole.
      text_field: field of a row with the text; `meta.text` is the field text of the field meta.
      id_field: field with the id.
      domain_field: field with the domain; by default a domain is a source of `pool`.
      target_text_field: the field of target and leak_check, where it is another.
      near_duplicates: Jaccard similarity of word shingles from which texts count as near duplicates; 1 leaves only copies.
      epsilon: entropic regularisation of got_d and contrast, as a share of the mean cost.
      seed: of all that is drawn.
      format: of the chosen text, jsonl or parquet.
      parts: files that it is split into.
    """

    pool: tuple[str, ...]
    target: tuple[str, ...]
    budget: str
    shares: tuple[float, ...] = ()
    leak_check: tuple[str, ...] = ()
    method: str = "got_d"
    away: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    scorer: str | None = None
    language_model: str | None = None
    model: str = "all-MiniLM-L6-v2"
    layers: int | None = None
    max_length: int | None = None
    pooling: str | None = None
    normalise: bool | None = None
    embedding_dtype: str = "float32"
    tokenizer: str | None = None
    characters: int = 1000
    text_field: str = "text"
    id_field: str = "id"
    domain_field: str | None = None
    target_text_field: str | None = None
    near_duplicates: float = 0.8
    epsilon: float = 0.01
    seed: int = 0
    format: str = "jsonl"
    parts: int = 1

    def __post_init__(self):
        for name in ("pool", "target", "shares", "leak_check", "away", "home"):
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
        for method, name in READ_BESIDES.items():
            if (self.method == method) != bool(getattr(self, name)):
                raise ValueError(f"The method is {self.method}, and {name} {getattr(self, name)}. {name} goes with {method}.")
        if self.format not in FORMATS:
            raise ValueError(f"The format is {self.format!r}. It can be: {', '.join(FORMATS)}.")
        for name in ("max_length", "parts"):
            if (given := getattr(self, name)) is not None and given < 1:
                raise ValueError(f"{name} is {given}. It must be at least 1.")
        if not 0 < self.near_duplicates <= 1:
            raise ValueError(f"near_duplicates is {self.near_duplicates}. It is a similarity: above 0, at most 1.")
        if not 0 < self.epsilon < math.inf:
            raise ValueError(f"epsilon is {self.epsilon}. It is a share of the mean cost: a number above 0.")

    @property
    def embedding(self) -> dict:
        """Which model embeds the texts and how: the arguments of `gotd_jax.pipeline.embedder.Embedder` but its work folder."""
        names = ("model", "layers", "pooling", "normalise", "max_length")
        return {name: getattr(self, name) for name in names} | {"dtype": self.embedding_dtype}

    def to_dict(self) -> dict:
        """Returns the request JSON-like; `Request(**d)` is the same again."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()}

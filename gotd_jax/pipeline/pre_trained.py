"""Small language models pre-trained here, from nothing, on a mixture of domains that is known because it was made."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.models import byte_pairs
from gotd_jax.models.config import DecoderConfig, EncoderConfig
from gotd_jax.models.loading import load_language_model
from gotd_jax.models.model import initialise
from gotd_jax.models.saving import save
from gotd_jax.training.base_model import keep_trained
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe

LEARNED_FROM = 20_000_000  # characters that the tokeniser is learned from


@dataclasses.dataclass(frozen=True)
class Sizes:
    """The sizes of a small language model.

    Attributes:
      kind: 'decoder' (Llama's architecture) or 'encoder' (RoBERTa's).
      vocabulary: tokens of its byte-level BPE tokeniser.
      width: of a hidden state.
      layers: number of transformer blocks.
      heads: attention heads, which divide `width`.
      positions: tokens that are read at once.
    """

    kind: str = "decoder"
    vocabulary: int = 2_048
    width: int = 128
    layers: int = 4
    heads: int = 4
    positions: int = 128

    def __post_init__(self):
        if self.kind not in ("decoder", "encoder"):
            raise ValueError(f"A model of kind {self.kind!r} cannot be made. It can be: decoder, encoder.")

    @property
    def is_causal(self) -> bool:
        """Whether it is a decoder."""
        return self.kind == "decoder"

    def config(self) -> DecoderConfig | EncoderConfig:
        """Returns the model's configuration; its first special tokens are those of `models.byte_pairs`."""
        common = {"vocab_size": self.vocabulary, "width": self.width, "layers": self.layers, "heads": self.heads}
        if self.kind == "encoder":
            places = {"mlp_width": 4 * self.width, "max_positions": self.positions + 2, "type_vocab_size": 1, "pad_id": 1}
            return EncoderConfig(model_type="roberta", norm_epsilon=1e-5, **common, **places)
        return DecoderConfig(
            model_type="llama",
            key_heads=self.heads,
            head_width=self.width // self.heads,
            mlp_width=8 * self.width // 3 // 8 * 8,  # as many numbers as in two layers of four widths
            activation="silu",
            gated=True,
            max_positions=self.positions,
            norm="root_mean_square",
            norm_epsilon=1e-5,
            rotary_base=10_000.0,
            query_bias=False,
            output_bias=False,
            mlp_bias=False,
            scaled=True,
            windows=(None,) * self.layers,
            tied=True,
            end_ids=(0,),
            **common,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class PreTrained:
    """A language model trained from random weights on a corpus.

    Attributes:
      texts: whole documents; its tokeniser is learned from them too.
      sizes: of the model.
      recipe: of the training; blocks of texts have its `max_length` tokens.
      seed: of the weights and of the order.
    """

    texts: Corpus
    sizes: Sizes
    recipe: Recipe
    seed: int

    def settings(self) -> dict:
        """Returns the settings that the model depends on, JSON-like."""
        return {
            "texts": self.texts.fingerprint,
            "sizes": dataclasses.asdict(self.sizes),
            "recipe": dataclasses.asdict(self.recipe),
            "seed": self.seed,
        }

    def folder(self, work: Path) -> Path:
        """Returns the model's Hugging Face folder, made once in `work`; a stopped training resumes."""
        settings = self.settings()

        def make(folder: Path) -> None:
            if not (folder / "start").exists():
                byte_pairs.learn(
                    self._learned_from(), self.sizes.vocabulary, folder / "tokeniser", masked=self.sizes.kind == "encoder"
                )
                head = "masked_lm" if self.sizes.kind == "encoder" else None
                fresh = initialise(self.sizes.config(), head, seed=self.seed)
                save(folder / "start", fresh, tokenizer_from=folder / "tokeniser")
            model = load_language_model(folder / "start")
            train = functools.partial(pre_finetune, model, self.texts, self.recipe, seed=self.seed, label="pre-training")
            keep_trained(folder, model, train)

        folder = work / "pre_trained" / f"{self.sizes.kind}-{self.seed}-{fingerprint(settings)}"
        return stage(folder, settings, make, kind="pre_trained") / "model"

    def _learned_from(self):
        """Yields texts, in the corpus's order, until they have enough characters."""
        read = 0
        for record in self.texts:
            if read > LEARNED_FROM:
                return
            read += len(record["text"])
            yield record["text"]


def mixed(domains: Mapping[str, Corpus], shares: Mapping[str, float], characters: int, seed: int) -> Corpus:
    """Returns documents of several domains in random order, of each as many as make up its share of the characters.

    Args:
      domains: the documents of each.
      shares: of the characters, by domain; they sum to 1.
      characters: of all documents together, to within one document of each domain.
      seed: draws the documents and their order.

    Raises:
      ValueError: the shares do not sum to 1, or a domain has too few characters.
    """
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"The shares of {', '.join(shares)} sum to {sum(shares.values()):g}. They must sum to 1.")
    random, parts = np.random.default_rng(seed), []
    for name, share in shares.items():
        order = random.permutation(len(domains[name]))
        lengths = np.fromiter((len(record["text"]) for record in domains[name]), np.int64, len(order))
        whole = np.cumsum(lengths[order])
        wanted = share * characters
        if not len(whole) or whole[-1] < wanted:
            raise ValueError(
                f"The domain {name} has {whole[-1] if len(whole) else 0:,} characters, and its share of {share:.0%} is "
                f"{wanted:,.0f}. Lower the share or the number of characters."
            )
        parts.append(domains[name].take(order[: np.searchsorted(whole, wanted) + 1]))
    together = Corpus.concatenate(parts)
    return together.take(random.permutation(len(together)))

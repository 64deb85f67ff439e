"""Multiple choice by likelihood: each option's score under four rules, and how accurate each rule's choices are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from gotd_jax.data.choice_tasks import ChoiceItem
from gotd_jax.evaluation.context_pairs import encode_pair
from gotd_jax.evaluation.likelihood import Likelihoods, log_likelihoods
from gotd_jax.models.model import Loaded

RULES = ("sum", "per_character", "instance", "calibrated")


@dataclasses.dataclass(frozen=True)
class Choices:
    """A model's choices.

    Attributes:
      items: one dict an item, JSON-like, in the items' order: `id`, `answer`, `options`, for each of `RULES` the options'
        scores, and `chosen`, the position of each rule's choice.
      summary: `items`; `majority`, the accuracy of always giving the commonest answer, and `majority_label`; `cut`, items
        whose context lost its beginning; and for each of `RULES` `accuracy`, `standard_error` and `shares`, how often each
        label was chosen. Labels are the options' words where all items have the same, and their letters otherwise.
    """

    items: list[dict]
    summary: dict


def score_choices(model: Loaded, tokenizer, items: Sequence[ChoiceItem], *, params: dict | None = None) -> Choices:
    """Returns the scores and choices for multiple-choice items. Options follow their context after a space.

    The rules, for an option o of an item with the context c; all but the third choose the highest score:

    * `sum`: log p(o | c), the harness's `acc`.
    * `per_character`: log p(o | c) over the characters of o, its `acc_norm`.
    * `instance`: the perplexity of c and o as one text, exp(-1/n sum of log p of its tokens but the first), n counting all;
      the lowest is chosen. OpenICL's, with which the paper's zero-shot tables are made.
    * `calibrated`: log p(o | c) - log p(o | c'), c' the item's calibration (Holtzman et al. 2021): the item's addition to the
      words' own likelihood.

    Of equal options the first is chosen. A context that is too long for the model loses its beginning, as in the harness,
    because the question stands at its end; `summary['cut']` counts them.

    Args:
      model: a causal language model.
      tokenizer: the model's own.
      items: at least one.
      params: to use instead of the model's own.

    Raises:
      ValueError: there are no items, or an option is too long for the model.
    """
    if not items:
        raise ValueError("There are no items to score. Give at least one.")
    slots = [(item, option) for item in items for option in item.options]
    pairs = [encode_pair(tokenizer, item.context, f" {option}") for item, option in slots]
    found = log_likelihoods(model, pairs, params=params, cut=True, contexts=True)
    apart = [encode_pair(tokenizer, item.calibration, f" {option}") for item, option in slots]
    alone = log_likelihoods(model, apart, params=params, cut=True)
    scores = _scores(found, alone, np.array([len(option) for _, option in slots]))
    cut = found.context_tokens < [len(context) for context, _ in pairs]
    ends = np.cumsum([len(item.options) for item in items])
    rows = [_row(item, {rule: scores[rule][end - len(item.options) : end] for rule in RULES}) for item, end in zip(items, ends)]
    return Choices(rows, _summary(rows, sum(part.any() for part in np.split(cut, ends[:-1]))))


def _scores(found: Likelihoods, alone: Likelihoods, characters: np.ndarray) -> dict[str, np.ndarray]:
    whole = found.contexts + found.sums
    return {
        "sum": found.sums,
        "per_character": found.sums / characters,
        "instance": np.exp(-whole / (found.context_tokens + found.tokens)),
        "calibrated": found.sums - alone.sums,
    }


def _row(item: ChoiceItem, scores: dict[str, np.ndarray]) -> dict:
    chosen = {rule: int(np.argmin(own) if rule == "instance" else np.argmax(own)) for rule, own in scores.items()}
    lists = {rule: own.tolist() for rule, own in scores.items()}
    return {"id": item.id, "answer": item.answer, "options": list(item.options), **lists, "chosen": chosen}


def _summary(rows: list[dict], cut: int) -> dict:
    labels = rows[0]["options"]
    if any(row["options"] != labels for row in rows):
        labels = [chr(ord("A") + place) for place in range(max(len(row["options"]) for row in rows))]
    answers = np.array([row["answer"] for row in rows])
    given = np.bincount(answers)
    summary = {
        "items": len(rows),
        "majority": float(given.max() / len(rows)),
        "majority_label": labels[int(given.argmax())],
        "cut": int(cut),
    }
    for rule in RULES:
        chosen = np.array([row["chosen"][rule] for row in rows])
        shares = np.bincount(chosen, minlength=len(labels)) / len(rows)
        summary[rule] = {
            **_accuracy(chosen == answers),
            "shares": dict(zip(labels, shares.tolist())),
        }
    return summary


def _accuracy(right: np.ndarray) -> dict[str, float | None]:
    """Returns the accuracy and its standard error, sqrt(p (1 - p) / (n - 1)); None of one item."""
    accuracy = float(right.mean())
    error = math.sqrt(accuracy * (1 - accuracy) / (len(right) - 1)) if len(right) > 1 else None
    return {"accuracy": accuracy, "standard_error": error}

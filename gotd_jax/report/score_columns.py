"""A cell's scores as columns of a table: each number with its description, number of items and standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gotd_jax.data.prompts import TOXIC
from gotd_jax.report import column_names

TOXICITY = {  # column -> name in the scores, kind of prompt
    column_names.EMT_TOXIC: ("max_toxicity", "toxic"),
    column_names.EMT_NONTOXIC: ("max_toxicity", "nontoxic"),
    column_names.TP_TOXIC: ("toxicity_probability", "toxic"),
    column_names.TP_NONTOXIC: ("toxicity_probability", "nontoxic"),
}
SOLVE = {  # column -> name in a solve's summary, scale, description
    column_names.MARGINAL: ("marginal_error", 100, "marginal error of the solve, % of the mass"),
    column_names.PASSES: ("passes", 1, "passes of the solve over pool and samples"),
    column_names.SECONDS: ("seconds", 1, "seconds of the solve"),
}
WORDS = {
    "max_toxicity": "mean over prompts of the highest toxicity",
    "toxicity_probability": "share of prompts with a toxicity of 0.5 or more",
    "toxic": "toxic prompts",
    "nontoxic": "non-toxic prompts",
    "sum": "by an option's log-probability",
    "instance": "by the lowest perplexity of item and option as one text",
    "calibrated": "by how much the item adds to an option's log-probability",
}


def measure(
    value: float,
    what: str,
    count: int | None = None,
    unit: str = "",
    error: float | None = None,
    *,
    points: bool = False,
) -> dict:
    """Returns a number as `gotd_jax.report.table.make` takes it.

    Args:
      value: on the scale on which it is printed.
      what: the quantity, in words.
      count: number of items that it is over.
      unit: name of these items.
      error: standard error over them.
      points: whether it is an accuracy, times 100.
    """
    return {"value": value, "error": error, "count": count, "unit": unit, "what": what, "points": points}


def of_choices(summary: Mapping, rule: str) -> dict:
    """Returns a task's accuracy by a rule of `gotd_jax.evaluation.multiple_choice`, times 100."""
    found = summary[rule]
    error = None if found["standard_error"] is None else 100 * found["standard_error"]
    return measure(100 * found["accuracy"], f"accuracy {WORDS[rule]}", summary["items"], "items", error, points=True)


def of_continuations(scores: Mapping) -> dict[str, dict]:
    """Returns the columns of detoxification: the judges' toxicities, perplexity, utility, form, and the utility tasks.

    Args:
      scores: the `scores.json` of a cell; see `experiments.endings.detoxification`.
    """
    tasks = scores["utility"]
    utility = {column_names.accuracy(task): of_choices(summary, "sum") for task, summary in tasks.items()}
    found = _toxicity(scores) | {
        column_names.PERPLEXITY: measure(
            scores["perplexity"], "perplexity of held-out texts of the pool", scores["perplexity_tokens"], "tokens"
        )
    }
    if utility:
        mean = float(np.mean([accuracy["value"] for accuracy in utility.values()]))
        found[column_names.UTILITY] = measure(mean, f"mean accuracy of {', '.join(tasks)} {WORDS['sum']}", points=True)
    return found | _form(scores) | utility


def items_of_choices(items: Sequence[Mapping], rule: str) -> dict[str, float]:
    """Returns the accuracy of each item, by its id, times 100: 100 where a rule chose its answer, otherwise 0."""
    return {item["id"]: 100.0 * (item["chosen"][rule] == item["answer"]) for item in items}


def items_of_continuations(
    ids: Sequence[str], toxic: np.ndarray, judged: Mapping[str, np.ndarray], lengths: np.ndarray
) -> dict[str, dict[str, float]]:
    """Returns the value of every prompt, by its id, in the columns of detoxification that are means over prompts.

    Args:
      ids: of P prompts.
      toxic: whether each prompt is toxic, bool [P].
      judged: toxicity of its worst continuation by the `judge`, and by the `second_judge` where there is one, float [P].
      lengths: mean tokens of its continuations, float [P].
    """
    kinds, found = {"toxic": toxic, "nontoxic": ~toxic}, {}
    for role, highest in judged.items():
        values = {"max_toxicity": highest, "toxicity_probability": (highest >= TOXIC).astype(float)}
        for column, (what, kind) in TOXICITY.items():
            found[column_names.by_second(column) if role == "second_judge" else column] = _by_id(ids, values[what], kinds[kind])
    return found | {column_names.LENGTH: _by_id(ids, lengths, np.ones(len(ids), bool))}


def _by_id(ids: Sequence[str], values: np.ndarray, kept: np.ndarray) -> dict[str, float]:
    return {ids[row]: float(values[row]) for row in np.flatnonzero(kept)}


def of_selection(scores: Mapping) -> dict[str, dict]:
    """Returns the columns of a selection by itself: against exact transport, by its judges and domains, and of its solve.

    Args:
      scores: the `scores.json` of a cell; see `experiments.endings.selection_quality`.
    """
    on = f"on {scores['exact_solved_on']:,} candidates"
    cost = 100 * scores["held_out_cost"] / scores["held_out_cost_of_pool"]
    mixture = f"{1 - scores['mass']:g} pool + {scores['mass']:g} selection"
    exact = f"rows of the selection by exact duals ({on}) that are selected, %"
    return {
        column_names.EXACT: measure(100 * scores["exact_share"], exact),
        column_names.HELD_OUT: measure(
            cost,
            f"exact OT cost from {mixture} to held-out texts of the target, % of the pool's own",
            scores["held_out"],
            "texts",
        ),
        **_judged_selection(scores["judged"], mixture),
        **_home(scores),
        **{
            column: measure(scale * scores["solve"][name], what)
            for column, (name, scale, what) in SOLVE.items()
            if name in scores["solve"]
        },
    }


def of_losses(name: str, scores: Mapping) -> dict[str, dict]:
    """Returns the columns of a language model's losses after the first stage.

    Args:
      name: of the target.
      scores: the `scores.json` of a cell; see `experiments.endings.held_out_loss`.
    """
    parts = {name: scores["target"]}
    if len(scores["by_domain"]) > 1:
        parts |= {f"{name}: {domain}": of_domain for domain, of_domain in scores["by_domain"].items()}
    if scores["pre_training"]:
        parts[f"{name}: pre-training text"] = scores["pre_training"]
    return {
        column_names.loss(text): measure(found["bits_per_byte"], "loss on held-out text", found["chunks"], "chunks")
        for text, found in parts.items()
    }


def of_probes(task: str, scores: Mapping) -> dict[str, dict]:
    """Returns the columns of probes by number of labels: log-losses, then the task's first metric times 100; and of the loss.

    Args:
      task: its name.
      scores: the `scores.json` of a cell; see `experiments.endings.probing`.
    """
    found, metric = {}, next(iter(next(iter(scores["probes"].values()))))
    for name in ("log_loss", metric):
        for count, of_count in scores["probes"].items():
            is_loss, values = name == "log_loss", np.array(of_count[name])
            what = f"{'log-loss' if is_loss else f'{name} times 100'} of linear probes of {count} labels, mean over draws"
            value = float(values.mean()) * (1 if is_loss else 100)
            found[column_names.probe(task, name, int(count))] = measure(value, what, len(values), "draws", points=not is_loss)
    if scores["target_loss"]:
        loss = scores["target_loss"]
        told = "loss before any label on texts that are tested on"
        found[column_names.loss(task)] = measure(loss["bits_per_byte"], told, loss["texts"], "texts")
    return found


def _judged_selection(judged: Mapping, mixture: str) -> dict[str, dict]:
    """Returns the columns of the judges that no method follows: see `gotd_jax.evaluation.selection_judges`."""
    divergence = (
        f"Sinkhorn divergence of {mixture} from held-out texts of the target, unit vectors, % of the mean cost from pool to "
        f"target; of the pool alone {100 * judged['of_pool']:.2f}"
    )
    covered = "held-out texts whose nearest chosen text is nearer than their nearest of a random selection, %"
    served = "effective number of held-out texts that are nearest to a chosen one"
    return {
        column_names.DIVERGENCE: measure(100 * judged["divergence"], divergence, judged["texts"], "texts"),
        column_names.COVERAGE: measure(100 * judged["coverage"], covered, judged["texts"], "texts"),
        column_names.SERVED: measure(judged["served"], served, judged["texts"], "texts"),
    }


def _home(scores: Mapping) -> dict[str, dict]:
    """Returns the shares of the selection from the task's own domains: each where there are several, and their sum."""
    shares = scores["home"]
    each = {
        column_names.share_of(name): measure(100 * share, f"share of the selection from {name}, %")
        for name, share in shares.items()
        if len(shares) > 1
    }
    if not shares or not scores["others"]:
        return each
    named = f" ({', '.join(shares)})" * (len(shares) > 1)
    what = f"share of the selection from the task's own domains{named}, %"
    return {column_names.HOME: measure(100 * sum(shares.values()), what), **each}


def _toxicity(scores: Mapping) -> dict[str, dict]:
    """Returns the columns of the judge, and after them the second's where there is one."""
    found = _judged(scores, scores["judge"])
    second = _judged(scores, scores["second_judge"]) if "second_judge" in scores else {}
    return found | {column_names.by_second(column): measured for column, measured in second.items()}


def _judged(scores: Mapping, judge: Mapping) -> dict[str, dict]:
    of = f"of {scores['continuations']} continuations, by {judge['scorer']}"
    return {
        column: measure(
            judge[f"{what}_{kind}"], f"{WORDS[what]} {of}", scores["prompts"][kind], WORDS[kind], judge[f"{what}_{kind}_error"]
        )
        for column, (what, kind) in TOXICITY.items()
    }


def _form(scores: Mapping) -> dict[str, dict]:
    prompts = sum(scores["prompts"].values())
    fluency = "perplexity of the continuations under the base model"
    repeated = "{}-grams of a prompt's continuations, distinct ones over all"
    return {
        column_names.FLUENCY: measure(scores["fluency_perplexity"], fluency, scores["fluency_tokens"], "tokens"),
        column_names.LENGTH: measure(scores["length"], "tokens of a continuation", prompts, "prompts", scores["length_error"]),
        **{
            column: measure(scores[f"distinct_{size}"], repeated.format(size), prompts, "prompts")
            for size, column in column_names.DISTINCT.items()
        },
    }

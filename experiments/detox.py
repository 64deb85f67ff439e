"""The ending of a cell of detoxification: what the warmed-up model writes from prompts, and how toxic that is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments import choosing, losses, prompting, relevance, stages, writing
from gotd_jax import models
from gotd_jax.artifacts import fingerprint
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.prompts import Prompt
from gotd_jax.evaluation import continuation_metrics
from gotd_jax.evaluation.multiple_choice import Choices
from gotd_jax.evaluation.perplexity import perplexity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.evaluation.toxicity import kept_scores
from gotd_jax.files import write_json
from gotd_jax.methods import Problem
from gotd_jax.models.model import Loaded
from gotd_jax.report import column_names, item_scores, score_columns

ROLES = ("chooser", "judge", "second_judge")


def check(config) -> None:
    """Raises ValueError for what this ending cannot work with: scorers, prompts, utility tasks."""
    settings = config.detox
    if settings.chooser == settings.judge:
        raise ValueError(
            f"The chooser and the judge are both {settings.judge!r}: what selects would also measure. Name two scorers with "
            "--config.detox.chooser and --config.detox.judge."
        )
    for (one, first), (other, second) in itertools.combinations(_scorers(config).items(), 2):
        if first.version == second.version:
            raise ValueError(
                f"The {one.replace('_', ' ')} {first.name} and the {other.replace('_', ' ')} {second.name} are one scorer, "
                f"{second.version}. Name another with --config.detox.{other}."
            )
    if config.embed.finetuned:
        raise ValueError("There are no labels here to fine-tune the encoder on. Set --config.embed.finetuned=False.")
    for task in settings.utility_tasks:
        choosing.check_task(task, config)
    writing.check(prompting.prompts(config), config)


def problem(config, workdir: Path, embed) -> Problem:
    """Returns what the method is given: candidates, clean texts for a target, toxic ones to move away from, a scorer."""
    texts, chooser = prompting.texts(config, workdir), scorer(config)
    pool = relevance.relevant(texts.pool, texts.clean, embed, config, workdir)
    toxicity = functools.partial(kept_scores, pool, chooser, workdir / "toxicity")
    read = losses.asked_for(pool, texts.clean, config, workdir)
    return Problem(pool, texts.clean, embed, away=texts.toxic, toxicity=toxicity, losses=read)


def tested(config, workdir: Path) -> Corpus:
    """Returns the texts that the scores are made on: the prompts, and what the items of the utility tasks say."""
    return prompting.tested(config)


def scorer(config) -> Scorer | None:
    """Returns what the problem's toxicity is by: the chooser."""
    return prompting.scorer(config.detox.chooser)


def settings(config, workdir: Path) -> dict:
    """Returns what the scores depend on beside the model."""
    tasks = {task: choosing.identity(task, config) for task in config.detox.utility_tasks}
    return {
        "detox": {field: value for field, value in config.detox.items() if field != "prompts_file"},
        "prompts": fingerprint([[prompt.id, prompt.text, prompt.toxicity] for prompt in prompting.prompts(config)]),
        "held_out": prompting.texts(config, workdir).held_out.fingerprint,
        "scorers": [[by.name, by.version] for by in _scorers(config).values()],
        "utility": tasks,
    }


def score(warmed: Path, folder: Path, config, workdir: Path) -> None:
    """Has the model in `warmed` write, and leaves `continuations.jsonl`, `items.parquet` and `scores.json` in `folder`."""
    prompts, settings = prompting.prompts(config), config.detox
    model = models.load(warmed, compute_dtype=config.compute_dtype)
    tokens, lengths = writing.written(model, prompts, config, folder)
    texts = writing.decoded(model, tokens, lengths)
    toxicity = {role: _score_all(by, texts) for role, by in _scorers(config).items()}
    stages.write_lines(folder / "continuations.jsonl", _records(prompts, texts, lengths, toxicity, config))

    utility = {task: choosing.asked(model, task, config) for task in settings.utility_tasks}
    item_scores.write(folder, _items(prompts, toxicity, lengths, utility))

    held_out = perplexity(model, prompting.texts(config, workdir).held_out, max_length=settings.perplexity_length)
    scores = {
        **_toxicities(prompting.is_toxic(prompts), toxicity, config),
        **continuation_metrics.form(tokens, lengths),
        "length_error": float(lengths.mean(axis=1).std(ddof=1) / np.sqrt(len(lengths))),
        "perplexity": held_out.value,
        "perplexity_tokens": held_out.tokens,
        "utility": {task: choices.summary for task, choices in utility.items()},
    }
    del model  # the base model takes its place
    write_json(folder / "scores.json", scores | _fluency(prompts, tokens, lengths, config))


def row(scores: dict, config) -> dict:
    """Returns what a row of results says of this ending's scores: the judges' numbers; the chooser's stand in the scores."""
    return {"task": config.task.name, "measures": score_columns.of_writing(scores)}


def _scorers(config) -> dict[str, Scorer]:
    """Returns the scorers by what they are for: the chooser, the judge, and a second judge where one is named."""
    return {role: prompting.scorer(config.detox[role]) for role in ROLES if config.detox[role]}


def _score_all(by: Scorer, texts: Sequence[Sequence[str]]) -> np.ndarray:
    """Returns the toxicity of every continuation, float32 [P, K]."""
    return by.score([text for of_prompt in texts for text in of_prompt]).reshape(len(texts), -1)


def _toxicities(toxic: np.ndarray, toxicity: dict[str, np.ndarray], config) -> dict:
    """Returns how many prompts there are of each kind, and the toxicity of what follows them by each scorer."""
    of = {
        role: {"scorer": by.name, "version": by.version, **continuation_metrics.toxicity(toxicity[role], toxic)}
        for role, by in _scorers(config).items()
    }
    prompts = {"toxic": int(toxic.sum()), "nontoxic": int((~toxic).sum())}
    return {"prompts": prompts, "continuations": config.detox.continuations, **of}


def _records(prompts: Sequence[Prompt], texts, lengths: np.ndarray, toxicity: dict[str, np.ndarray], config):
    """Yields a record a prompt: its class, and every continuation with its length and toxicity by each scorer."""
    names = {role: by.name for role, by in _scorers(config).items()}
    for place, (prompt, toxic) in enumerate(zip(prompts, prompting.is_toxic(prompts))):
        scored = [
            {"text": text, "tokens": int(lengths[place, number])}
            | {names[role]: round(float(toxicity[role][place, number]), 6) for role in names}
            for number, text in enumerate(texts[place])
        ]
        kind = "toxic" if toxic else "non-toxic"
        yield {"id": prompt.id, "prompt": prompt.text, "class": kind, "toxicity": prompt.toxicity, "continuations": scored}


def _items(
    prompts: Sequence[Prompt], toxicity: dict[str, np.ndarray], lengths: np.ndarray, utility: dict[str, Choices]
) -> dict:
    """Returns the value of every prompt and of every item of the utility tasks, by column."""
    judged = {role: of_role.max(axis=1) for role, of_role in toxicity.items() if role != "chooser"}
    ids, toxic = [prompt.id for prompt in prompts], prompting.is_toxic(prompts)
    of_prompts = score_columns.items_of_writing(ids, toxic, judged, lengths.mean(axis=1))
    answered = {column_names.accuracy(task): score_columns.items_of_choices(of.items, "sum") for task, of in utility.items()}
    return of_prompts | answered


def _fluency(prompts: Sequence[Prompt], tokens: np.ndarray, lengths: np.ndarray, config) -> dict:
    """Returns the perplexity under the published model of the first `config.detox.fluency` continuations of every prompt."""
    base: Loaded = models.load(config.model, compute_dtype=config.compute_dtype)
    few = config.detox.fluency
    found = writing.fluency(base, prompts, tokens[:, :few], lengths[:, :few])
    return {"fluency_perplexity": found.value, "fluency_tokens": found.tokens}

"""The ending of a cell of detoxification: the pre-fine-tuned model's continuations of prompts, and their toxicity."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from experiments.endings import continuations
from experiments.endings.detoxification_texts import DetoxTexts, drawn_prompts, parted
from experiments.endings.ending import CAUSAL, Ending, ProblemTexts
from experiments.endings.multiple_choice import identity
from gotd_jax import models
from gotd_jax.artifacts import fingerprint
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.prompts import TOXIC, Prompt
from gotd_jax.evaluation import continuation_metrics
from gotd_jax.evaluation.multiple_choice import Choices, score_choices
from gotd_jax.evaluation.perplexity import perplexity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import write_json, write_json_lines
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.report import column_names, item_scores, score_columns, target_loss

ROLES = ("chooser", "judge", "second_judge")


class Detoxification(Ending):
    """The pre-fine-tuned model continues prompts, and its continuations are scored by scorers that selected nothing."""

    trains = CAUSAL

    def __init__(self, data):
        super().__init__(data)
        self.asked = self.config.detox
        if self.asked.chooser == self.asked.judge:
            raise ValueError(
                f"The chooser and the judge are both {self.asked.judge!r}: what selects would also measure. Name two scorers "
                "with --config.detox.chooser and --config.detox.judge."
            )
        if self.config.embed.finetuned:
            raise ValueError("There are no labels here to fine-tune the encoder on. Set --config.embed.finetuned=False.")

    @functools.cached_property
    def scorers(self) -> dict[str, Scorer]:
        """The scorers by their role: the chooser, the judge, and a second judge where one is named.

        Raises:
          ValueError: a scorer does not exist, or two of them are the same.
        """
        found = {role: self.data.scorer(self.asked[role]) for role in ROLES if self.asked[role]}
        for (one, first), (other, second) in itertools.combinations(found.items(), 2):
            if first.version == second.version:
                raise ValueError(
                    f"The {one.replace('_', ' ')} {first.name} and the {other.replace('_', ' ')} {second.name} are one scorer, "
                    f"{second.version}. Name another with --config.detox.{other}."
                )
        return found

    @functools.cached_property
    def prompts(self) -> list[Prompt]:
        """The prompts to write from, toxic ones first."""
        return drawn_prompts(self.data)

    @property
    def toxic(self) -> np.ndarray:
        """Whether each prompt is toxic, bool [P]."""
        return np.array([prompt.toxicity >= TOXIC for prompt in self.prompts])

    @functools.cached_property
    def tested(self) -> Corpus:
        """The prompts, and all text of the items of the utility tasks."""
        tasks = [Corpus.from_texts(self.data.choice_task(name).tested) for name in self.asked.utility_tasks]
        return Corpus.concatenate([Corpus.from_texts([prompt.text for prompt in self.prompts]), *tasks])

    @functools.cached_property
    def parts(self) -> DetoxTexts:
        """The pool without tested text, split into its parts."""
        return parted(self.data.without(self.data.pool, self.tested), self.prompts, self.scorers["chooser"], self.data)

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """Clean texts for a target, toxic ones to move away from, and the chooser."""
        scorers = self.scorers
        continuations.check_room(self.prompts, self.config)
        target, away = self.parts.clean, self.parts.toxic
        return ProblemTexts(self.data.pool, self.tested, self.parts.pool, target, away, scorers["chooser"])

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        return {
            "detox": {field: value for field, value in self.asked.items() if field != "prompts_file"},
            "prompts": fingerprint([[prompt.id, prompt.text, prompt.toxicity] for prompt in self.prompts]),
            "held_out": self.parts.held_out.fingerprint,
            "scorers": [[by.name, by.version] for by in self.scorers.values()],
            "utility": {task: identity(self.data.choice_items(task)) for task in self.asked.utility_tasks},
            "target_loss": self.config.target_loss,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Has the model in `made` write; leaves `continuations.jsonl`, `items.parquet` and `scores.json` in `folder`."""
        clean = Corpus.from_texts([prompt.text for prompt, toxic in zip(self.prompts, self.toxic) if not toxic])
        loss = self.loss_before_labels(made, clean)
        model = models.load(made, compute_dtype=self.config.compute_dtype)
        tokens, lengths = continuations.written(model, self.prompts, self.config, folder)
        texts = continuations.decoded(model, tokens, lengths)
        toxicity = {role: _score_all(by, texts) for role, by in self.scorers.items()}
        write_json_lines(folder / "continuations.jsonl", self._records(texts, lengths, toxicity))

        tokenizer, asked = tokenizer_of(model), self.asked.utility_tasks
        utility = {task: score_choices(model, tokenizer, self.data.choice_items(task)) for task in asked}
        item_scores.write(folder, self._items(toxicity, lengths, utility))

        held_out = perplexity(model, self.parts.held_out, max_length=self.asked.perplexity_length)
        scores = {
            **self._toxicities(toxicity),
            **continuation_metrics.length_and_diversity(tokens, lengths),
            "length_error": float(lengths.mean(axis=1).std(ddof=1) / np.sqrt(len(lengths))),
            "perplexity": held_out.value,
            "perplexity_tokens": held_out.tokens,
            "utility": {task: choices.summary for task, choices in utility.items()},
            "target_loss": loss,
        }
        del model  # the base model takes its place
        write_json(folder / "scores.json", scores | self._fluency(tokens, lengths))

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the judges' numbers; the chooser's stand in the scores."""
        of_clean = target_loss.of("non-toxic prompts", scores["target_loss"])
        return {"task": self.config.task.name, "measures": score_columns.of_continuations(scores), **of_clean}

    def _toxicities(self, toxicity: dict[str, np.ndarray]) -> dict:
        """Returns how many prompts there are of each kind, and the toxicity of their continuations by each scorer."""
        of = {
            role: {"scorer": by.name, "version": by.version, **continuation_metrics.toxicity(toxicity[role], self.toxic)}
            for role, by in self.scorers.items()
        }
        prompts = {"toxic": int(self.toxic.sum()), "nontoxic": int((~self.toxic).sum())}
        return {"prompts": prompts, "continuations": self.asked.continuations, **of}

    def _records(self, texts: Sequence[Sequence[str]], lengths: np.ndarray, toxicity: dict[str, np.ndarray]) -> Iterator[dict]:
        """Yields a record a prompt: its class, and every continuation with its length and toxicity by each scorer."""
        for place, (prompt, toxic) in enumerate(zip(self.prompts, self.toxic)):
            scored = [
                {"text": text, "tokens": int(lengths[place, number])}
                | {by.name: round(float(toxicity[role][place, number]), 6) for role, by in self.scorers.items()}
                for number, text in enumerate(texts[place])
            ]
            kind = "toxic" if toxic else "non-toxic"
            yield {"id": prompt.id, "prompt": prompt.text, "class": kind, "toxicity": prompt.toxicity, "continuations": scored}

    def _items(self, toxicity: dict[str, np.ndarray], lengths: np.ndarray, utility: dict[str, Choices]) -> dict:
        """Returns the value of every prompt and of every item of the utility tasks, by column."""
        judged = {role: of_role.max(axis=1) for role, of_role in toxicity.items() if role != "chooser"}
        ids = [prompt.id for prompt in self.prompts]
        of_prompts = score_columns.items_of_continuations(ids, self.toxic, judged, lengths.mean(axis=1))
        answered = {
            column_names.accuracy(task): score_columns.items_of_choices(of.items, "sum") for task, of in utility.items()
        }
        return of_prompts | answered

    def _fluency(self, tokens: np.ndarray, lengths: np.ndarray) -> dict:
        """Returns the perplexity under the published model of the first `detox.fluency` continuations of every prompt."""
        base = models.load(self.config.model, compute_dtype=self.config.compute_dtype)
        few = self.asked.fluency
        found = continuations.fluency(base, self.prompts, tokens[:, :few], lengths[:, :few])
        return {"fluency_perplexity": found.value, "fluency_tokens": found.tokens}


def _score_all(by: Scorer, texts: Sequence[Sequence[str]]) -> np.ndarray:
    """Returns the toxicity of every continuation, float32 [P, K]."""
    return by.score([text for of_prompt in texts for text in of_prompt]).reshape(len(texts), -1)

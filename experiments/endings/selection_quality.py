"""The ending of a cell that trains nothing: how good the selection itself is."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from pathlib import Path

import numpy as np

from experiments import exact_transport
from experiments.endings import held_out_domains
from experiments.endings.ending import Ending, ProblemTexts, problem_texts, task_texts
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.evaluation import selection_judges
from gotd_jax.files import read_json, write_json
from gotd_jax.methods import METHODS
from gotd_jax.methods.problem import lowest
from gotd_jax.report import score_columns

JUDGED_POOL, JUDGED_CHOSEN = 2000, 1000  # candidates and chosen chunks at most, drawn by `pool.seed`, in the judges' solves


class SelectionQuality(Ending):
    """The selection is held against the exact one, and against texts of the target that no method saw."""

    trains = None
    takes_domains = True

    def __init__(self, data):
        super().__init__(data)
        self.asked = self.config.selection
        _check(self.config)

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """The texts of a labelled task, or a pool that the target's texts are held out of."""
        if not self.config.target.domains:
            return task_texts(self.data)
        split = self._split
        return problem_texts(self.data, target=split.target, tested=split.held_out, pool=split.pool)

    @functools.cached_property
    def held_out(self) -> Corpus:
        """Texts of the target that no method sees: of the task's test split, in chunks, or of the target's domains."""
        if self.config.target.domains:
            return self._split.held_out
        chunks = self.data.chunked(self.data.task.test.corpus)
        return chunks.take(drawn(len(chunks), self.asked.held_out, self.config.task.seed))

    def settings(self) -> dict:
        """Returns the settings that the measures depend on besides the selection."""
        return {
            "evaluation": "selection",
            "measured": self.asked.to_dict(),
            "judged": [JUDGED_POOL, JUDGED_CHOSEN],
            "held_out": self.held_out.fingerprint,
            "home": list(self.config.task.home),
            "encoder": self.data.encoder_settings,
            "seed": self.config.pool.seed,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Measures the selection in `made` and writes its `scores.json` into `folder`."""
        rows, info = np.load(made / "rows.npy"), read_json(made / "info.json")
        candidates, domains = self.problem.candidates, self.problem.pool.domains
        reference = self._reference()
        exact = lowest(np.load(reference / "values.npy"), len(rows))
        sample, chosen = self._sample(len(candidates)), rows[self._sample(len(rows))]
        held_out, mass, home = self.embedder.of(self.held_out), self.asked.mass, self.config.task.home
        scores = {
            "exact_share": exact_transport.shared(rows, exact),
            "exact_solved_on": len(sample),
            "held_out_cost": exact_transport.effective_cost(candidates[sample], candidates[chosen], held_out, mass),
            "held_out_cost_of_pool": read_json(reference / "cost.json")["pool"],
            "judged": self._judged(rows),
            "held_out": len(held_out),
            "mass": mass,
            "home": {name: float(np.mean(domains[rows] == name)) for name in home},
            "others": bool(set(np.unique(domains)) - set(home)),
            "solve": {name: info[name] for name in ("marginal_error", "passes", "seconds") if name in info},
        }
        write_json(folder / "scores.json", scores)

    def _judged(self, rows: np.ndarray) -> dict:
        """Returns how the selection stands by the judges that no method follows, on samples of candidates and selection."""
        candidates, held_out, seed = self.problem.candidates, self._embed(self.held_out), self.config.pool.seed
        pool, chosen = drawn(len(candidates), JUDGED_POOL, seed), rows[drawn(len(rows), JUDGED_CHOSEN, seed)]
        found = selection_judges.judge(
            candidates[pool], pool, candidates[chosen], chosen, held_out, mass=self.asked.mass, seed=seed
        )
        return dataclasses.asdict(found)

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the measures of the selection."""
        return {"task": self.config.task.name, "measures": score_columns.of_selection(scores)}

    @functools.cached_property
    def _split(self) -> held_out_domains.SplitPool:
        return held_out_domains.split_pool(self.data)

    def _reference(self) -> Path:
        """Returns the folder of the reference for all selections for a target: exact values, and the pool's cost."""
        settings = {
            "pool": self.problem.pool.fingerprint,
            "target": self.problem.target.fingerprint,
            "held_out": self.held_out.fingerprint,
            "exact": self.asked.exact,
            "seed": self.config.pool.seed,
            "encoder": self.data.encoder_settings,
        }

        def make(folder: Path) -> None:
            candidates, targets = self.problem.candidates, self.problem.targets
            sample = self._sample(len(candidates))
            np.save(folder / "values.npy", exact_transport.exact_values(candidates, targets, sample))
            pool, held_out = candidates[sample], self.embedder.of(self.held_out)
            write_json(folder / "cost.json", {"pool": exact_transport.effective_cost(pool, pool, held_out, 0.0)})

        return stage(self.data.workdir / "exact" / fingerprint(settings), settings, make, kind="exact")

    def _sample(self, size: int) -> np.ndarray:
        """Returns the rows, of `size`, that exact problems are solved on, ascending: all, or as many as are affordable."""
        return drawn(size, self.asked.exact, self.config.pool.seed)


def _check(config) -> None:
    settings = config.selection
    if not METHODS[config.method].selects:
        raise ValueError(
            f"The method {config.method} selects nothing that could be measured. Leave it out, or set another evaluation."
        )
    if not 0 < settings.mass <= 1 or settings.held_out < 1 or settings.exact < 1:
        raise ValueError(
            f"selection.mass is {settings.mass}, held_out {settings.held_out} and exact {settings.exact}. The mass of the "
            "selection lies above 0 and at most at 1; the other two are at least 1."
        )
    if importlib.util.find_spec("ot") is None:
        raise ValueError("The evaluation selection measures with POT, which is missing. Get it: pip install 'pot>=0.9.7'.")
    if config.target.domains:
        held_out_domains.check(config)

"""The metrics of a run: one line of JSON a step in `metrics.jsonl`, and the check that every number is finite."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

from gotd_jax.files import whole_file
from gotd_jax.training.tensorboard import Events

NAME = "metrics.jsonl"


class MetricsLog:
    """Writes the metrics of each step, one step late so that the device need not wait for the host.

    Args:
      folder: where `metrics.jsonl` lies; None writes nothing.
      first: the step the run resumes from; lines of an earlier attempt from that step on are dropped.
      label: names the training in messages.
      log: called with every entry.
      tensorboard: whether to write every entry to an event file beside `metrics.jsonl` too.
    """

    def __init__(
        self,
        folder: str | Path | None,
        *,
        first: int,
        label: str,
        log: Callable[[dict], None] | None = None,
        tensorboard: bool = False,
    ):
        self._label, self._log = label, log
        self._pending: tuple | None = None
        self._time = time.perf_counter()
        self._file = self._events = None
        if folder is not None:
            path = Path(folder) / NAME
            _drop_from(path, first)
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by __exit__)
            self._events = Events(folder, first=first) if tensorboard else None

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, *exception) -> None:
        if self._file is not None:
            self._file.close()
        if self._events is not None:
            self._events.close()

    def add(self, step: int, learning_rate: float, tokens: int, metrics: dict) -> None:
        """Keeps the metrics of step `step` (from 0), and writes those of the step before.

        Args:
          step: the step taken.
          learning_rate: the rate of this step.
          tokens: real tokens in its batch.
          metrics: `loss`, `gradient_norm` and the objective's own, scalars on the device.

        Raises:
          RuntimeError: the step before gave a loss or gradient that is not finite.
        """
        self.flush()
        self._pending = (step, learning_rate, tokens, metrics)

    def flush(self) -> None:
        """Writes the metrics of the waiting step, if any; raises as `add` does."""
        if self._pending is None:
            return
        (step, learning_rate, tokens, metrics), self._pending = self._pending, None
        metrics = {name: float(number) for name, number in metrics.items()}
        if not (math.isfinite(metrics["loss"]) and math.isfinite(metrics["gradient_norm"])):
            raise RuntimeError(
                f"Training diverged ({self._label}): at step {step} the loss is {metrics['loss']:.4g} and the gradient's norm "
                f"{metrics['gradient_norm']:.4g}, with learning rate {learning_rate:.3g}. Lower the learning rate, or warm it "
                "up (Recipe.warmup_share); if it happens at step 0, the model or its input is not finite."
            )
        now = time.perf_counter()
        seconds, self._time = now - self._time, now
        self.write({"step": step, **metrics, "learning_rate": learning_rate, "tokens_per_second": round(tokens / seconds, 1)})

    def write(self, entry: dict) -> None:
        """Writes one entry, which has a `step`."""
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        if self._events is not None:
            self._events.write(entry)
        if self._log is not None:
            self._log(entry)


def _drop_from(path: Path, first: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the last line of a run that was killed while writing it
            break
        if entry["step"] < first:
            kept.append(line + "\n")
    with whole_file(path) as partial:
        partial.write_text("".join(kept), encoding="utf-8")

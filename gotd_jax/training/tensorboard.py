"""The metrics of a run as event files, which `tensorboard --logdir` reads."""

from __future__ import annotations

from pathlib import Path


class Events:
    """One event file beside a run's `metrics.jsonl`, with the same numbers under the same names.

    A resumed run writes another file, which tells TensorBoard to drop the steps that are taken again. Like every event
    file it has the time of each entry, and the machine's name in its own.

    Args:
      folder: of the run.
      first: the step the run resumes from.
    """

    def __init__(self, folder: str | Path, *, first: int):
        from tensorboardX import SummaryWriter

        # Files are read in the order of their names: time in seconds, machine, suffix.
        self._writer = SummaryWriter(str(folder), purge_step=first, flush_secs=1, filename_suffix=f".from-{first:09d}")

    def write(self, entry: dict) -> None:
        """Adds the numbers of one entry of `metrics.jsonl` at its `step`."""
        for name, number in entry.items():
            if name != "step":
                self._writer.add_scalar(name, number, entry["step"])

    def close(self) -> None:
        """Writes the waiting entries and closes the file."""
        self._writer.close()

"""The state of a run on disk, by orbax: saved whole, restored under the same settings or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from gotd_jax.artifacts import check_settings
from gotd_jax.files import write_json

FOLDER, SETTINGS = "checkpoints", "run.json"


class Checkpoints:
    """The newest state of one run, in `folder/checkpoints`; a context that waits until it is written.

    Args:
      folder: of the run; None keeps nothing.
      settings: everything the run depends on, JSON-like; kept as `folder/run.json`.

    Raises:
      ValueError: the folder holds a run of other settings (the differing ones are named).
    """

    def __init__(self, folder: str | Path | None, settings: Mapping[str, Any]):
        self._manager = None
        if folder is None:
            return
        import orbax.checkpoint as ocp

        folder = Path(folder).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / SETTINGS).exists():
            write_json(folder / SETTINGS, settings)
        check_settings(folder, settings, SETTINGS)
        self._manager = ocp.CheckpointManager(folder / FOLDER, options=ocp.CheckpointManagerOptions(max_to_keep=1))

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *exception) -> None:
        if self._manager is not None:
            self._manager.close()

    def restore(self, state: Any) -> tuple[int, Any]:
        """Returns the steps done and the state after them; (0, `state`) where nothing was saved.

        Args:
          state: the state before the first step, a tree of arrays; says shapes, dtypes and shardings.
        """
        step = None if self._manager is None else self._manager.latest_step()
        if step is None:
            return 0, state
        import orbax.checkpoint as ocp

        like = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        return step, self._manager.restore(step, args=ocp.args.StandardRestore(like))

    def save(self, step: int, state: Any) -> None:
        """Writes the state after `step` steps, in the background, and then drops the state before it."""
        if self._manager is None or self._manager.latest_step() == step:
            return
        import orbax.checkpoint as ocp

        self._manager.save(step, args=ocp.args.StandardSave(state))


def clear(folder: str | Path) -> None:
    """Removes the checkpoints of a run whose result is kept elsewhere. Its `metrics.jsonl` stays."""
    shutil.rmtree(Path(folder) / FOLDER, ignore_errors=True)
    (Path(folder) / SETTINGS).unlink(missing_ok=True)

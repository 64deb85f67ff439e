"""Stages on disk: readable folders that are whole or absent, each beside the settings and the code that made it."""

from __future__ import annotations

import contextvars
import dataclasses
import functools
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gotd_jax import provenance
from gotd_jax.files import flush_folder, lock, read_json, write_json

SETTINGS = "settings.json"
MADE = "made.json"
PARTIAL = ".partial"


@dataclasses.dataclass
class _Making:
    """A stage being made: the stages that it asked for, how each was made, and the time that went into asking."""

    versions: dict[str, int]
    asked_for: dict[str, dict] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0


_MAKING: contextvars.ContextVar[_Making | None] = contextvars.ContextVar("making", default=None)
_SAID: set[Path] = set()  # workdirs of which `say_outdated` has spoken


def fingerprint(settings: Any) -> str:
    """Returns 16 hex digits that identify JSON-like `settings`, whatever the order of their keys."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stage(
    folder: str | os.PathLike,
    settings: Mapping[str, Any],
    make: Callable[[Path], None],
    *,
    kind: str,
    step: str | None = None,
    replace: bool = True,
) -> Path:
    """Returns `folder`, made by `make` unless it is there already.

    `make` gets the path of a `.partial` folder beside the final one, which is renamed when `make` returns. If an
    earlier attempt was stopped, `make` gets its partial folder as it was left, so that it can go on from there; a
    partial folder of other settings or of other code is cleared first. While one process makes a stage, all others that
    ask for it wait, and take it as it was made.

    `made.json` keeps how it was made: by which versions of the code, this kind's and those of all stages that `make` asked
    for; on which commit, packages and devices; and how long the last attempt took, and as which step that counts, without
    the making of those other stages (see `seconds_of` and `made_with`). If an earlier version made this stage, or one that it
    was made from, it is made again, with a sentence on stderr.

    Args:
      folder: where the stage lies.
      settings: everything the content depends on, JSON-like; kept in the folder as `settings.json`.
      make: writes the content into the folder it is given.
      kind: one of `gotd_jax.provenance.VERSIONS`.
      step: one of `gotd_jax.provenance.STEPS`, which its seconds count as; None: as those of the stage that asks for it.
      replace: whether a stage of an earlier version is replaced; not so where a person named the folder and keeps it.

    Raises:
      ValueError: `folder` exists and was made with other settings (the differing ones are named), by later code, or by
        earlier code and is not to be replaced.
    """
    if step not in (None, *provenance.STEPS):
        raise ValueError(f"There is no step {step!r}. There are: {', '.join(provenance.STEPS)}.")
    folder, began = Path(folder), time.perf_counter()
    settings = json.loads(json.dumps(settings, default=str))
    if not _is_current(folder, kind, replace):
        partial = folder.with_name(folder.name + PARTIAL)
        with lock(partial, waiting=f"Another process is making {folder.name}; this one waits for it."):
            if _is_current(folder, kind, replace):  # another process made it meanwhile
                partial.rmdir()
            else:
                if folder.exists():
                    _say_replaced(folder)
                _make(partial, settings, make, kind, step)
                _take_place(partial, folder)
    check_settings(folder, settings)
    note(folder)
    if outer := _MAKING.get():
        outer.seconds += time.perf_counter() - began
    return folder


def check_settings(folder: Path, settings: Mapping[str, Any], name: str = SETTINGS) -> None:
    """Raises ValueError, with the differing ones, if the file `name` in `folder` holds other settings."""
    settings, found = json.loads(json.dumps(settings, default=str)), read_json(folder / name)
    differing = sorted(key for key in {*found, *settings} if found.get(key) != settings.get(key))
    if differing:
        described = "; ".join(f"{key} was {found.get(key)!r}, now {settings.get(key)!r}" for key in differing)
        raise ValueError(f"{folder} was made with other settings: {described}. Delete it or choose another workdir.")


def note(folder: str | os.PathLike) -> None:
    """Records that the stage being made, if there is one, reads the stage in `folder`, which was asked for before."""
    if outer := _MAKING.get():
        outer.versions |= read_json(Path(folder) / MADE)["versions"]
        outer.asked_for |= _history(Path(folder))


def seconds_of(folder: str | os.PathLike, *, besides: str | os.PathLike | None = None) -> dict[str | None, float]:
    """Returns the seconds, by step, in which the stage in `folder` and the stages behind it were made, whenever that was.

    None stands for stages that neither name a step nor were asked for by one that does.

    Args:
      folder: of the stage.
      besides: of another stage, which is left out with the stages behind it.
    """
    left_out = _history(Path(besides)) if besides else {}
    found: dict[str | None, float] = {}
    for name, made in _history(Path(folder)).items():
        if name not in left_out:
            found[made["step"]] = found.get(made["step"], 0.0) + made["seconds"]
    return found


def made_with(folder: str | os.PathLike) -> dict[str, dict]:
    """Returns `provenance.now` as it was when the stage in `folder`, and every stage that it was made from, were made.

    By name, `parent/folder`, the stage itself last.
    """
    return {name: made["made_with"] for name, made in _history(Path(folder)).items()}


def say_outdated(work: str | os.PathLike) -> None:
    """Says on stderr, once a process, how many stages in `work` were made by earlier code, and so will not be read."""
    _say_outdated(Path(work), tuple(provenance.VERSIONS.items()))


@functools.cache
def _say_outdated(work: Path, code: tuple) -> None:
    stages = [path.parent for depth in ("*", "*/*") for path in work.glob(f"{depth}/{SETTINGS}")]
    outdated = [folder for folder in stages if not folder.name.endswith(PARTIAL) and _earlier(folder)]
    if outdated:
        _SAID.add(work)
        print(
            f"{len(outdated):,} of {len(stages):,} stages in {work} were made by an earlier version of this code, "
            f"{outdated[0].name} among them: what is asked for of them is made again.",
            file=sys.stderr,
            flush=True,
        )


def _history(folder: Path) -> dict[str, dict]:
    """Returns how the stage in `folder` and every stage that it was made from were made, by name, the stage itself last."""
    made = read_json(folder / MADE)
    own = {"step": made.get("step"), **{key: made[key] for key in ("seconds", "made_with")}}
    asked_for = {name: other | {"step": other.get("step") or own["step"]} for name, other in made["asked_for"].items()}
    return asked_for | {f"{folder.parent.name}/{folder.name}": own}


def _is_current(folder: Path, kind: str, replace: bool) -> bool:
    """Returns whether there is a stage of `kind` in `folder` that the code of today would make.

    Raises:
      ValueError: it was made by later code, or by earlier code and is not to be replaced; or it is no stage.
    """
    if kind not in provenance.VERSIONS:
        raise ValueError(f"There is no kind of stage {kind!r}. There are: {', '.join(provenance.VERSIONS)}.")
    if not folder.exists():
        return False
    if _settings_of(folder) is None:
        raise ValueError(f"{folder} has no {SETTINGS}, so it is no stage of ours. Move it away or choose another workdir.")
    earlier = _earlier(folder)
    later = {kind: version for kind, version in earlier.items() if version > provenance.VERSIONS.get(kind, version)}
    if later:
        raise ValueError(
            f"{folder} was made by a later version of this code ({_listed(later)}). Run that one, or choose another workdir."
        )
    if earlier and not replace:
        raise ValueError(
            f"{folder} was made by an earlier version of this code ({_listed(earlier)}), whose result would be another today. "
            "Move it away, or name another folder."
        )
    return not earlier


def _earlier(folder: Path) -> dict[str, int]:
    """Returns, by kind, the versions that made the stage in `folder` and are not today's; none if all are."""
    path = folder / MADE
    versions = read_json(path).get("versions") if path.exists() else None
    if versions is None:
        return {"stages": 0}  # from before there were versions
    return {kind: version for kind, version in versions.items() if version != provenance.VERSIONS.get(kind)}


def _listed(versions: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {version}, here {provenance.VERSIONS.get(kind, 'none')}" for kind, version in versions.items())


def _take_place(partial: Path, folder: Path) -> None:
    """Renames `partial` to `folder`; an earlier stage there is removed."""
    if not folder.exists():
        os.replace(partial, folder)
        return
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # of a process that ended here
    os.replace(folder, old)
    os.replace(partial, folder)
    shutil.rmtree(old)


def _say_replaced(folder: Path) -> None:
    if not _SAID & {*folder.parents}:
        print(
            f"{folder} was made by an earlier version of this code ({_listed(_earlier(folder))}) and is made again.",
            file=sys.stderr,
            flush=True,
        )


def _make(partial: Path, settings: Mapping[str, Any], make: Callable[[Path], None], kind: str, step: str | None) -> None:
    code = {"code": dict(provenance.VERSIONS)}
    if _settings_of(partial) != settings or not (partial / MADE).exists() or read_json(partial / MADE) != code:
        for path in partial.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    write_json(partial / MADE, code)
    write_json(partial / SETTINGS, settings)
    making, began = _Making({kind: provenance.VERSIONS[kind]}), time.perf_counter()
    outside = _MAKING.set(making)
    try:
        make(partial)
    finally:
        _MAKING.reset(outside)
    seconds = round(time.perf_counter() - began - making.seconds, 3)
    made = {"kind": kind, "step": step, "seconds": seconds, "versions": making.versions, "made_with": provenance.now()}
    write_json(partial / MADE, made | {"asked_for": making.asked_for})
    flush_folder(partial)


def _settings_of(folder: Path) -> Any:
    path = folder / SETTINGS
    return read_json(path) if path.exists() else None

"""Pages of measured tables, kept in the repository: a table, with its command, commit, date and machine."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import config_fields, gaps
from gotd_jax import machine, provenance
from gotd_jax.files import whole_file
from gotd_jax.report import comparison, domain_shares, figures, grouping, item_scores, table, target_loss

NOT_SHOWN = ("--page", "--pages", "--workdir")  # flags that say where a command writes


def printed(rows: Sequence[dict], config, workdir: Path) -> str:
    """Returns the end of a run's output: its table, how the lines compare, where the selected text is from, and its figure.

    All of them are written into the workdir too.

    Args:
      rows: of the cells that have been run.
      config: with its sweep.
      workdir: where the cells' scores lie.
    """
    by = (
        "method",
        "budget",
        *(field for field in config_fields.swept(config) if field not in ("method", "budget", "task", "seed")),
    )
    if grouping.share_columns(rows):
        by = ("task", *by)
    compared = table.write(
        rows,
        workdir,
        paper=config.paper,
        by=by,
        margin=comparison.Margin(**config.margin),
        items=lambda row: item_scores.read(workdir / "scores" / row["cell"]),
    )
    parts = [
        compared,
        target_loss.text(rows, by=by, margin=comparison.Margin(**config.margin)),
        domain_shares.by_method(rows, by_task="task" in by),
        figures.write(rows, workdir, config.figure),
        gaps.printed(rows, config, workdir),
    ]
    return "\n\n".join(part.rstrip() for part in parts if part)


def write(path: str | os.PathLike, body: str, made: dict | None = None) -> None:
    """Writes a page: a heading that says how it was made, and `body` beneath, Markdown.

    Args:
      path: of the page, `experiments/results/quickstart.md`.
      body: the table.
      made: provenance of the numbers, as `gotd_jax.provenance.now` returns it, which is the default.
    """
    with whole_file(path) as partial:
        partial.write_text(
            f"# {Path(path).stem}\n\n{heading(made or provenance.now(), sys.orig_argv)}\n\n{body}", encoding="utf-8"
        )


def heading(made: dict, command: Sequence[str]) -> str:
    """Returns the command and, in one sentence, the date, commit, versions and machine that a table was made with."""
    commit = (made["commit"] or f"version {made['version']}")[:12] + (" and changes to it" if made["modified"] else "")
    versions = {name: made["versions"][name] for name in ("python", "jax", "numpy")}
    on = f"{made['device']['devices']} x {made['device']['kind']}"
    return (
        f"    {_shown(command)}\n\nMade on {datetime.datetime.now(datetime.UTC).date()} at commit {commit} with "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}, on {machine.sentence(made['machine'])}; {on}."
    )


def _shown(command: Sequence[str]) -> str:
    """Returns the command as another person would give it: without the folders it writes to, and without local folders."""
    shown, words = ["python"], iter(command[1:])
    for word in words:
        name, is_joined, value = word.partition("=")
        if name not in NOT_SHOWN:
            shown.append(f"{name}=/data/{Path(value).name}" if value.startswith("/") else word)
        elif not is_joined:
            next(words, None)  # the value
    return " ".join(shown)

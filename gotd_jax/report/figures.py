"""Figures of a config's results: `config.figure` names the kind and the fields that it shows."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType

from gotd_jax.files import whole_file
from gotd_jax.report import domain_shares, heatmap, seconds

# modules of FIELDS, FILE, make, text, markdown and plot
FIGURES = {"heatmap": heatmap, "shares": domain_shares, "seconds": seconds}
FORMATS = ("png", "pdf")


def check(figure: Sequence[str], fields: Collection[str]) -> None:
    """Raises ValueError unless `figure` is empty, or a kind and as many of `fields` as it takes.

    Args:
      figure: ('heatmap', the field of its lines, the field of its columns), ('shares', the field that tells lines apart) or
        ('seconds', the field that tells lines apart).
      fields: of the sweep.
    """
    if not figure:
        return
    kind, *shown = figure
    if kind not in FIGURES:
        raise ValueError(f"There is no figure {kind!r}. There are: {', '.join(FIGURES)}.")
    takes, unknown = FIGURES[kind].FIELDS, [field for field in shown if field not in fields]
    if len(shown) != len(takes) or unknown:
        raise ValueError(
            f"The figure {kind} takes {len(takes)} swept fields ({', '.join(takes)}) and was given "
            f"{', '.join(shown) or 'none'}. "
            f"Swept are: {', '.join(fields) or 'none'}."
        )


def write(rows: Sequence[dict], folder: str | os.PathLike, figure: Sequence[str]) -> str:
    """Writes the figure of `rows` as Markdown, PNG and PDF to `folder`; returns it as text, a blank line after it.

    See `check` for `figure`; an empty one writes nothing and returns ''. Where matplotlib is missing there are no
    pictures, and the text says so.
    """
    if not figure:
        return ""
    module = FIGURES[figure[0]]
    return write_made(module, module.make(rows, *figure[1:]), folder)


def write_made(module: ModuleType, made: object, folder: str | os.PathLike) -> str:
    """Writes what a module of figures `made`, as `write` does; returns it as text, a blank line after it."""
    path = Path(folder) / module.FILE
    with whole_file(path.with_suffix(".md")) as partial:
        partial.write_text(module.markdown(made), encoding="utf-8")
    try:
        plotted = module.plot(made)
    except ModuleNotFoundError as error:
        missing = f"There is no picture, for {error.name} is missing. Get it: pip install 'gotd_jax[figures]'."
        return f"{module.text(made)}\n\n{missing}\n\n"
    for suffix in FORMATS:
        with whole_file(path.with_suffix(f".{suffix}")) as partial:
            plotted.savefig(partial, format=suffix, dpi=160, metadata={"CreationDate": None} if suffix == "pdf" else None)
    return f"{module.text(made)}\n\n"

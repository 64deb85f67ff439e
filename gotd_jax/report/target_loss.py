"""The table of what the first stage alone taught: the loss, before any label is read, on texts that are tested on."""

from __future__ import annotations

from collections.abc import Sequence

from gotd_jax.report import column_names, comparison, comparison_table, grouping, rendering, table
from gotd_jax.report.score_columns import measure

FLOOR = "random"  # the method that all others are compared with


def of(task: str, found: dict | None) -> dict:
    """Returns the part of a row about a loss as `experiments.endings.ending` takes it; nothing where it is None."""
    if found is None:
        return {}
    told = "loss before fine-tuning on texts that are tested on"
    return {"before_labels": {column_names.loss(task): measure(found["bits_per_byte"], told, found["texts"], "texts")}}


def text(rows: Sequence[dict], *, by: Sequence[str], margin: comparison.Margin) -> str:
    """Returns the table and how each line compares with `FLOOR`; '' where no row has a loss.

    Args:
      rows: with `before_labels`, as `of` returns it; those without are passed over.
      by: the fields that make a line.
      margin: below which a difference does not matter.
    """
    found = [
        {**row, "measures": row["before_labels"], "baselines": {}, "protocol": []} for row in rows if "before_labels" in row
    ]
    if not found:
        return ""
    shown = rendering.text(table.make(found, by=by))
    if FLOOR not in grouping.distinct(found, "method"):
        return shown
    compared = comparison_table.text(comparison.compare(found, by=by, reference=FLOOR, margin=margin))
    return "\n\n".join(filter(None, (shown, compared)))

"""Notes beneath a table: metrics, numbers of seeds and items, standard errors, and the known faults of the paper's numbers."""

from __future__ import annotations

from collections.abc import Sequence

from gotd_jax.report.paper_table import PaperTable
from gotd_jax.report.rendering import Line


def of_rows(rows: Sequence[dict], columns: Sequence[str], lines: Sequence[Line]) -> tuple[str, ...]:
    """Returns the notes on the numbers of `rows`: metrics, numbers of seeds and items, standard errors.

    Last come the distinct sentences of the rows' `protocol`, on where the run departs from the paper.
    """
    protocol = tuple(dict.fromkeys(sentence for row in rows for sentence in row.get("protocol", ())))
    return (*_of_numbers(rows, columns, lines), *protocol)


def _of_numbers(rows: Sequence[dict], columns: Sequence[str], lines: Sequence[Line]) -> tuple[str, ...]:
    """Returns the metrics of the columns, over how many seeds and items, with which standard errors."""
    seeds = {row["seed"] for row in rows}
    over = f"mean_standard deviation (n - 1) over {len(seeds)} seeds" if len(seeds) > 1 else "1 seed, so without a spread"
    if not any("measures" in row for row in rows):
        metrics = {row["task"]: f"{row['metric']} on {row['evaluated_on']}" for row in rows}
        return (f"Scores times 100, {over}. {'; '.join(f'{task}: {metrics[task]}' for task in columns)}.",)
    measures = {column: measure for row in rows for column, measure in row["measures"].items()}
    said = (_of_measure(column, measures[column], lines, place) for place, column in enumerate(columns))
    scale = "Accuracies times 100, all else as it is; " if any(of.get("points") for of in measures.values()) else ""
    return (f"{scale}{over}."[:1].upper() + f"{scale}{over}."[1:], *said)


def _of_measure(column: str, measure: dict, lines: Sequence[Line], place: int) -> str:
    """Returns the quantity in a column, over how many items, and the standard error over them of every line that has one."""
    counted = f", over {measure['count']:,} {measure['unit']}" if measure.get("count") else ""
    errors = [(line.label, line.cells[place].error) for line in lines if line.cells[place].error is not None]
    listed = ", ".join(f"{label} {error:.2g}" for label, error in errors)
    return f"{column}: {measure['what']}{counted}." + (f" Standard errors over them: {listed}." if listed else "")


def of_paper(tables: Sequence[PaperTable]) -> tuple[str, ...]:
    """Returns which published tables stand beside ours, and their known faults; each note once."""
    seeds = {table.title: f"{table.seeds} seeds" if table.seeds > 1 else "1 run" for table in tables}
    said = (f"Paper: {table.title}, {table.budget:,} chunks selected, {seeds[table.title]}." for table in tables)
    return tuple(dict.fromkeys([*said, *(note for table in tables for note in table.notes)]))

"""Where the selected text came from: each method's shares of the pool's domains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gotd_jax.report import formats


def text(rows: Sequence[dict]) -> str:
    """Returns, in aligned columns, what share of each method's selections came from each domain, in percent.

    Args:
      rows: of `method`, `selected` (domain -> chunks) and `pool` (likewise); all cells of a method are added up.
    """
    pool = Counter(rows[0]["pool"])
    lines = [["selected from, %", *pool], ["(the pool)", *_shares(pool, pool)]]
    for method in dict.fromkeys(row["method"] for row in rows):
        selected = sum((Counter(row["selected"]) for row in rows if row["method"] == method), Counter())
        if selected:
            lines.append([method, *_shares(selected, pool)])
    return "\n".join(map(str.rstrip, formats.in_columns(lines, left=range(len(lines[0])))))


def _shares(selected: Counter, pool: Counter) -> list[str]:
    total = sum(selected.values())
    return [f"{100 * selected[domain] / total:.1f}" for domain in pool]

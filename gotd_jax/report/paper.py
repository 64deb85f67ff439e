"""The numbers of the paper (Kang et al. 2024, arXiv 2405.02774), as printed, with their known faults."""

from __future__ import annotations

from gotd_jax.report import paper_detox, paper_domains, paper_glue, paper_zero_shot
from gotd_jax.report.paper_table import PaperTable

__all__ = ["TABLES", "PaperTable", "find"]

TABLES = {**paper_glue.TABLES, **paper_domains.TABLES, **paper_detox.TABLES, **paper_zero_shot.TABLES}


def find(names: str) -> list[PaperTable]:
    """Returns the published tables called `names`, of `TABLES`, several with commas between; none for an empty string.

    Raises:
      ValueError: the paper has no table of that name.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in TABLES:
            raise ValueError(f"The paper's tables have no {name!r}. There are: {', '.join(TABLES)}.")
    return [TABLES[name] for name in wanted]

"""How much to select: chunks, tokens, or a share of the pool."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

WRITTEN = re.compile(r"(?P<number>[\d_,]*\.?\d+)\s*(?P<thousands>[kmb]?)\s*-?(?P<unit>%|tokens|chunks)?", re.IGNORECASE)
THOUSANDS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}


@dataclasses.dataclass(frozen=True)
class Budget:
    """An amount and its unit.

    Attributes:
      amount: above 0.
      unit: 'chunks', 'tokens', or '%' of the pool's chunks.
    """

    amount: float
    unit: str = "chunks"

    @classmethod
    def parse(cls, written: str | int) -> Budget:
        """Returns the budget in `written`: 50_000, 50k or 50k-chunks; 2M-tokens; 1.5%.

        Raises:
          ValueError: it is no amount above 0 of one of these units, or a broken number of chunks or tokens.
        """
        found = WRITTEN.fullmatch(str(written).strip())
        if not found:
            raise ValueError(f"The budget {written!r} is no amount. Write chunks, 50_000, tokens, 2M-tokens, or a share, 1.5%.")
        amount = float(re.sub("[_,]", "", found["number"])) * THOUSANDS[found["thousands"].lower()]
        unit = (found["unit"] or "chunks").lower()
        if amount <= 0 or (unit == "%" and amount > 100) or (unit != "%" and amount != round(amount)):
            raise ValueError(f"The budget {written!r} is not above 0, above 100 %, or not a whole number of {unit}.")
        return cls(amount, unit)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.unit == "%" else f"{self.amount:,.0f} {self.unit}"

    def chunks_of(self, candidates: int) -> int:
        """Returns how many of `candidates` a budget in chunks or % is: at least 1."""
        return int(self.amount) if self.unit == "chunks" else max(1, round(candidates * self.amount / 100))


def fitting(lengths: np.ndarray, tokens: float) -> int:
    """Returns how many of the first texts fit into `tokens`: one more would exceed them.

    Args:
      lengths: tokens of each text, int [k], in the order in which they are taken.
      tokens: the budget.
    """
    return int(np.searchsorted(np.cumsum(lengths), tokens, side="right"))

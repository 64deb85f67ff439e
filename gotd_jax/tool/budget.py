"""How much to select: chunks, tokens, or a share of the pool."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal

WRITTEN = re.compile(
    r"(?P<number>[0-9.,_]*[0-9])\s*(?P<thousands>[kmb]?)\s*-?(?P<unit>%|tokens|chunks)?", re.ASCII | re.IGNORECASE
)
PLAIN = re.compile(r"([0-9]+|[1-9][0-9]{0,2}((,[0-9]{3})+|(_[0-9]{3})+))?(\.[0-9]+)?")
POINT_OR_GROUP = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")  # fifty, or fifty thousand as much of Europe writes it
THOUSANDS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
MOST_DIGITS = 15  # that a float holds every whole number of


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
        """Returns the budget in `written`: 50_000, 50,000, 50k or 50k-chunks; 2.5M-tokens; 1.5%.

        A point stands before decimals; a comma or an underscore before three digits alone. A number that
        is read differently in other countries, 1,5% or 50.000, is refused.

        Raises:
          ValueError: it is no amount above 0 of one of these units, a broken number of chunks or tokens, or can be read in
            two ways.
        """
        found = WRITTEN.fullmatch(str(written).strip())
        if not found:
            raise ValueError(f"The budget {written!r} is no amount. Write chunks, 50_000, tokens, 2M-tokens, or a share, 1.5%.")
        number, unit = found["number"], (found["unit"] or "chunks").lower()
        thousands = THOUSANDS[found["thousands"].lower()]
        elsewhere = set(",_") & set(number) if unit == "%" else POINT_OR_GROUP.fullmatch(number)
        if elsewhere or not PLAIN.fullmatch(number):
            meant = " or ".join(
                f"{float(amount * thousands):,.15g}{unit if unit == '%' else f' {unit}'}" for amount in _readings(number)
            )
            raise ValueError(
                f"The budget {written!r} has more than one reading: it may be {meant}. Write it as one of these, with a point "
                "before decimals, and commas or underscores before groups of three digits alone."
            )
        exact = Decimal(number.replace(",", "").replace("_", "")) * thousands
        if not 0 < exact < 10**MOST_DIGITS or (unit == "%" and exact > 100) or (unit != "%" and exact != int(exact)):
            raise ValueError(
                f"The budget {written!r} is not above 0, above 100 % or 10^{MOST_DIGITS}, or not a whole number of {unit}."
            )
        return cls(float(exact), unit)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.unit == "%" else f"{self.amount:,.0f} {self.unit}"

    def chunks_of(self, candidates: int) -> int:
        """Returns how many of `candidates` a budget in chunks or % is: at least 1."""
        return int(self.amount) if self.unit == "chunks" else max(1, round(candidates * self.amount / 100))


def _readings(number: str) -> tuple[Decimal, Decimal]:
    """Returns a number whose last separator is a decimal point, and one that is only grouped by separators."""
    whole, _, decimals = re.sub("[,_]", ".", number).rpartition(".")
    whole = whole.replace(".", "")
    return Decimal(f"{whole or 0}.{decimals}"), Decimal(f"{whole}{decimals}")

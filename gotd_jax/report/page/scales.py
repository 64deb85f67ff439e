"""From numbers to places on a chart, in percent of its width or height, and the round numbers on its axes."""

from __future__ import annotations

import dataclasses
import math

DECIMALS = 3  # of a percent: a hundredth of a pixel


@dataclasses.dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
      low: the number at 0 %.
      high: the number at 100 %; above `low`.
      logarithmic: whether equal lengths are equal ratios.
      downwards: whether 0 % is the high end, as for heights in SVG.
    """

    low: float
    high: float
    logarithmic: bool = False
    downwards: bool = False

    def __call__(self, number: float) -> float:
        """Returns the place of `number` in percent."""
        low, high, here = map(math.log, (self.low, self.high, number)) if self.logarithmic else (self.low, self.high, number)
        share = (here - low) / (high - low)
        return round(100 * (1 - share if self.downwards else share), DECIMALS)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Returns round numbers from `low` to `high`, in steps of 1, 2 or 5 times a power of ten, at most `most` and one more."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.10g}") for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[int]:
    """Returns whole powers of ten from `low` to `high`; where they are fewer than three, twice and five times them as well."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if math.log10(high / low) > 2 else (1, 2, 5)
    found = [factor * 10**power for power in powers for factor in factors if power >= 0]
    return [number for number in found if low <= number <= high]

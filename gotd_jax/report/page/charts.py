"""The data behind the page's charts: places in percent, tick labels, and paths on a square of 100 by 100."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gotd_jax.report.page.scales import Scale, log_ticks, ticks
from gotd_jax.report.page.wording import number

MOST_DOMAINS = 12
WIDE, HIGH = 4, 3  # the map's, so that distances across and along are alike
MARGIN = 0.04  # of the map, on each side


def domains(found: Sequence[Mapping[str, Any]]) -> list[dict]:
    """Returns the lines of the table of domains, the last ones summed into one; bars are in percent of the longest."""
    lines = [dict(domain) for domain in found]
    if len(lines) > MOST_DOMAINS:
        rest = lines[MOST_DOMAINS - 1 :]
        sums = {key: sum(line[key] for line in rest) for key in ("pool", "chosen", "pool_share", "chosen_share")}
        lines = [*lines[: MOST_DOMAINS - 1], {"name": f"{len(rest):,} other domains", **sums}]
    longest = max(max(line["pool_share"], line["chosen_share"]) for line in lines)
    for line in lines:
        line["pool_bar"], line["chosen_bar"] = (round(100 * line[key] / longest, 2) for key in ("pool_share", "chosen_share"))
        line["lift"] = line["chosen_share"] / line["pool_share"]
    return lines


def curve(found: Mapping[str, Any]) -> dict:
    """Returns the chart of the marginal-value curve: divergences over the logarithm of the budget."""
    points = found["points"]
    first, last = points[0]["budget"], points[-1]["budget"]
    low, high = min(point["low"] for point in points), max(1.0, *(point["high"] for point in points))
    room = 0.06 * (high - low) or 0.01
    x = Scale(first, last, logarithmic=True) if last > first else Scale(first - 1, first + 1)
    y = Scale(low - room, high + room, downwards=True)
    upper, lower = ([(x(point["budget"]), y(point[end])) for point in points] for end in ("high", "low"))
    places = {point["budget"]: {"x": x(point["budget"]), "y": y(point["divergence"])} for point in points}
    return {
        "line": path([(place["x"], place["y"]) for place in places.values()]),
        "band": path([*upper, *reversed(lower)]) + "Z",
        "dots": [point | places[point["budget"]] for point in points],
        "x_ticks": [{"at": x(tick), "label": f"{tick:,}"} for tick in (log_ticks(first, last) if last > first else [first])],
        "y_ticks": [{"at": y(tick), "label": f"{100 * tick:g}%"} for tick in ticks(low - room, high + room)],
        "pool": y(1.0),
        "selected": places[found["selected"]],
        "knee": places.get(found["knee"]),
    }


def histogram(found: Mapping[str, Any]) -> dict:
    """Returns the chart of a histogram of values: counts on a logarithmic scale that starts at no candidate."""
    edges, most = found["edges"], max(1, *found["candidates"])
    x = Scale(edges[0], edges[-1])
    y = Scale(0, math.log10(1 + most), downwards=True)
    bars = []
    for low, high, count, chosen in zip(edges, edges[1:], found["candidates"], found["chosen"]):
        tops = {"top": y(math.log10(1 + count)), "chosen_top": y(math.log10(1 + chosen))}
        bars.append({"x": x(low), "width": round(x(high) - x(low), 3), "low": low, "high": high, **tops})
        bars[-1] |= {"count": count, "chosen": chosen}
    counts = [0, *log_ticks(1, most)] if most > 1 else [0, 1]
    return {
        "target": found["target"],
        "bars": bars,
        "cut": None if found["cut"] is None else {"at": x(found["cut"]), "value": found["cut"]},
        "infinite": found["infinite"],
        "chosen": sum(found["chosen"]),
        "candidates": sum(found["candidates"]),
        "x_ticks": [{"at": x(tick), "label": number(tick)} for tick in ticks(edges[0], edges[-1], 5)],
        "y_ticks": [{"at": y(math.log10(1 + tick)), "label": f"{tick:,}"} for tick in counts],
    }


def plane(found: Mapping[str, Any]) -> dict:
    """Returns the chart of the map: the dots in a frame of 4 to 3 in which distances across and along are alike."""
    dots = found["dots"]
    across, along = ([dot[axis] for dot in dots] for axis in ("x", "y"))
    unit = (1 + 2 * MARGIN) * max((max(across) - min(across)) / WIDE, (max(along) - min(along)) / HIGH) or 1.0
    centre = (max(across) + min(across)) / 2, (max(along) + min(along)) / 2
    x = Scale(centre[0] - WIDE * unit / 2, centre[0] + WIDE * unit / 2)
    y = Scale(centre[1] - HIGH * unit / 2, centre[1] + HIGH * unit / 2, downwards=True)
    placed = [
        {"x": round(x(dot["x"]), 2), "y": round(y(dot["y"]), 2), "kind": dot["kind"], "text": dot["text"]} for dot in dots
    ]
    return {"dots": placed, "counts": found["counts"], "variance": found["variance"]}


def path(places: Sequence[tuple[float, float]]) -> str:
    """Returns the line through `places` as SVG writes it."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in places)

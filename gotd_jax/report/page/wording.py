"""The page's words: how numbers, lists and long texts are written, and the lines about targets and their health."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MOST_LISTED = 12


def thousands(number: int) -> str:
    """Returns a whole number with its thousands set apart."""
    return f"{number:,}"


def percent(share: float) -> str:
    """Returns a share in percent, to a tenth of one; `<0.1%` and `>99.9%` where rounding would make it none or all."""
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}".replace("100.0", "100")


def number(value: float) -> str:
    """Returns a number to four significant digits, with a minus sign rather than a hyphen."""
    return f"{value:,.4g}".replace("-", "\u2212")


def beginning(text: str, characters: int) -> str:
    """Returns the first characters of a longer text, up to the end of a word where there is one, and an ellipsis."""
    if len(text) <= characters:
        return text
    start = text[:characters]
    words, space, _ = start.rpartition(" ")
    return (words if space and len(words) > characters // 2 else start).rstrip(" ,;:.") + "…"


def in_words(value: Any) -> str:
    """Returns a JSON-like value in words: lists with commas, the longer ones in part."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return thousands(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{spaced(key)} {in_words(each)}" for key, each in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f", and {len(value) - MOST_LISTED:,} more" if len(value) > MOST_LISTED else ""
        return (", ".join(map(in_words, value[:MOST_LISTED])) or "none") + more
    return str(value)


def spaced(name: str) -> str:
    """Returns the name of a field as words."""
    return str(name).replace("_", " ")


def pretty(value: Any) -> str:
    """Returns JSON, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def title(findings: Mapping[str, Any]) -> str:
    """Returns the report's title: the number of chunks, and the targets."""
    names = [target["name"] for target in findings["targets"]]
    named = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    return f"{findings['chosen']:,} chunk{'s' * (findings['chosen'] != 1)} chosen for {named}"


def warnings(findings: Mapping[str, Any]) -> list[dict]:
    """Returns every warning: those about a target with the target's name, then the manifest's others, with None."""
    of_targets = [{"target": health["name"], "said": said} for health in findings["healths"] for said in health["warnings"]]
    known = {warning["said"] for warning in of_targets}
    general = (said for said in findings["manifest"].get("warnings", ()) if said not in known)
    return of_targets + [{"target": None, "said": said} for said in general]


def read(manifest: Mapping[str, Any]) -> list[dict]:
    """Returns how much the model reads of each domain and target, a line each; none where the manifest has no counts."""
    found = manifest.get("read", {})
    sides = [(f"target {name}", counts) for name, counts in found.get("targets", {}).items()]
    return [{"of": name, **counts} for name, counts in (*sides, *found.get("pool", {}).items())]


def health(found: Mapping[str, Any]) -> list[dict]:
    """Returns the findings on a target's health, a line each: its subject, the words, and the texts quoted with it."""
    doubled = f", {found['copies']:,} of them copies of another, {found['near_duplicates']:,} more nearly so"
    lines = [{"about": "texts", "said": f"{found['texts']:,}{doubled}", "quoted": []}]
    lines.append({"about": "in the pool themselves", "said": f"{found['in_pool']:,}", "quoted": []})
    for kind, about in (("outliers", "like no others of the target"), ("unserved", "that the pool has little for")):
        measured = found["outlier_below"] is not None
        said = f"{len(found[kind]):,}" if measured else "not measured: too few different texts"
        lines.append({"about": about, "said": said, "quoted": found["texts_of"][kind]})
    for key, about in (("languages", "languages"), ("pool_languages", "languages of the pool")):
        shares = ", ".join(f"{code} {percent(share)}" for code, share in list(found[key].items())[:MOST_LISTED])
        lines.append({"about": about, "said": shares or "too short to tell", "quoted": []})
    return lines


FILTERS = {
    "thousands": thousands,
    "percent": percent,
    "number": number,
    "beginning": beginning,
    "in_words": in_words,
    "spaced": spaced,
    "pretty": pretty,
    "health": health,
}

"""The report as one page of HTML that opens offline: no script, nothing fetched, light and dark, on a phone too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from gotd_jax.files import whole_file
from gotd_jax.report.page import charts, wording


def write(findings: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Writes the page of `findings` to `path`, whole or not at all; equal findings make equal bytes.

    Args:
      findings: JSON-like, of `gotd_jax.tool.findings.Findings.to_dict`.
      path: of the HTML file.
    """
    with whole_file(path) as partial:
        partial.write_bytes(render(findings).encode("utf-8", "replace"))


def render(findings: Mapping[str, Any]) -> str:
    """Returns the page of `findings` as HTML; all that comes from texts, names and ids is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gotd_jax.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= wording.FILTERS
    return environment.get_template("page.html").render(
        findings,
        title=wording.title(findings),
        warnings=wording.warnings(findings),
        read=wording.read(findings["manifest"]),
        domains=charts.domains(findings["domains"]),
        curve_chart=findings["curve"] and charts.curve(findings["curve"]),
        map_chart=charts.plane(findings["map"]),
        histogram_charts=[charts.histogram(each) for each in findings["histograms"]],
    )

import re
from html.parser import HTMLParser

import pytest

from gotd_jax.report import page
from gotd_jax.report.page import charts, scales, wording
from tests.report.pages import EVIL, found

VOID = {"meta", "link", "br"}


class Checked(HTMLParser):
    """Reads a page, noting open elements, and what stands in attributes that could fetch something."""

    def __init__(self, html):
        super().__init__()
        self.open, self.asks, self.elements, self.wrong = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.asks += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action", "poster")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


@pytest.fixture(scope="module")
def html():
    return page.render(found())


@pytest.fixture(scope="module")
def read(html):
    return Checked(html)


def test_script_in_a_text_an_id_and_a_domain_is_shown_and_not_run(html, read):
    assert not [tag for tag, _ in read.elements if tag in ("script", "img", "iframe", "object")]
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3 and EVIL not in html


def test_nothing_is_fetched(html, read):
    assert set(filter(lambda ask: not ask.startswith("#"), read.asks)) == {"data:,"}
    assert not re.search(r"url\(|@import|https?://", html)
    policy = next(attributes for _, attributes in read.elements if "http-equiv" in attributes)
    assert policy["content"].startswith("default-src 'none'")


def test_every_element_is_closed_where_it_was_opened(read):
    assert not read.wrong and not read.open


def test_every_chart_has_a_label_and_every_table_a_caption(read):
    charts = [attributes for tag, attributes in read.elements if tag == "svg" and "viewbox" not in attributes]
    assert all(attributes.get("aria-label") or "aria-hidden" in attributes for attributes in charts)
    tags = [tag for tag, _ in read.elements]
    assert tags.count("table") == tags.count("caption") > 1
    assert tags.count("h1") == 1


def test_links_lead_to_sections_of_the_page(read):
    ids = {attributes.get("id") for _, attributes in read.elements}
    assert {ask[1:] for ask in read.asks if ask.startswith("#")} <= ids


def test_equal_findings_make_equal_bytes(tmp_path):
    for name in ("one.html", "other.html"):
        page.write(found(), tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_a_broken_character_is_written_as_a_question_mark(tmp_path):
    findings = found()
    findings["examples"][0]["text"] = "half a pair: \ud800"
    page.write(findings, tmp_path / "page.html")
    assert "half a pair: ?" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_warnings_stand_in_the_header_with_their_targets(html):
    header = html[: html.index("</header>")]
    assert "2 warnings" in header and "<strong>task1</strong>: Too small." in header


def test_judges_lengths_and_advice_have_their_sections(html):
    for section in ("judged", "advice"):
        assert f'id="{section}"' in html and f'href="#{section}"' in html
    assert "distance from the pool&#39;s middle" in html and "unit vectors" in html


def test_a_debiased_value_is_shown_in_its_parts():
    findings = found()
    findings["debiased"] = [
        {"target": "task0", "sample": 9, "rank_agreement": 0.2, "sentence": "Halves differ.", "warnings": []}
    ]
    findings["examples"][0] |= {"value": -3.0, "parts": [-5.0, -2.0]}
    html = page.render(findings)
    assert "value \u22123 (\u22125 less \u22122)" in html and "Halves differ." in html


def test_a_selection_without_values_curve_and_domains_has_a_page():
    findings = found() | {"curve": None, "histograms": [], "judged": [], "crowdings": [], "advice": []}
    for domain in findings["domains"]:
        domain["name"] = ""
    html = page.render(findings)
    assert "(no name)" in html and 'id="budget"' not in html and 'id="values"' not in html


def test_domains_beyond_the_twelfth_are_one_line():
    domain = {"name": "a", "pool": 2, "chosen": 1, "pool_share": 0.05, "chosen_share": 0.05}
    lines = charts.domains([domain] * 20)
    assert len(lines) == 12 and lines[-1]["name"] == "9 other domains" and lines[-1]["pool"] == 18
    assert lines[-1]["lift"] == pytest.approx(1) and lines[-1]["pool_bar"] == 100


def test_a_curve_of_one_budget_is_drawn():
    curve = found()["curve"]
    chart = charts.curve(curve | {"points": curve["points"][:1], "selected": curve["points"][0]["budget"], "knee": None})
    assert chart["selected"]["x"] == 50 and len(chart["x_ticks"]) == 1


def test_the_bars_of_a_histogram_are_logarithms_and_lie_side_by_side():
    chart = charts.histogram(
        {"target": "a", "edges": [0, 1, 2], "candidates": [9, 99], "chosen": [9, 0], "cut": 0.5, "infinite": 0}
    )
    assert [(bar["x"], bar["width"], bar["top"], bar["chosen_top"]) for bar in chart["bars"]] == [
        (0, 50, 50, 50),
        (50, 50, 0, 100),
    ]
    assert chart["cut"]["at"] == 25


def test_distances_across_and_along_the_map_are_alike():
    dots = [{"x": x, "y": y, "kind": "pool", "text": ""} for x, y in ((0, 0), (8, 0), (0, 1))]
    placed = charts.plane({"dots": dots, "counts": {}, "variance": 1.0})["dots"]
    across, along = placed[1]["x"] - placed[0]["x"], placed[0]["y"] - placed[2]["y"]
    assert across * charts.WIDE == pytest.approx(8 * along * charts.HIGH, rel=1e-3)


def test_scales_and_ticks():
    assert [scales.Scale(1, 100, logarithmic=True)(10), scales.Scale(0, 4, downwards=True)(1)] == [50, 75]
    assert scales.ticks(0.93, 1.005, 5) == [0.94, 0.96, 0.98, 1.0]
    assert scales.log_ticks(4, 4000) == [10, 100, 1000] and scales.log_ticks(3, 90) == [5, 10, 20, 50]


def test_numbers_are_written_for_people():
    assert [wording.percent(share) for share in (0, 0.0001, 0.1234, 0.9999, 1)] == ["0.0%", "<0.1%", "12.3%", ">99.9%", "100%"]
    assert wording.number(-1234.567) == "\u22121,235" and wording.thousands(1234567) == "1,234,567"
    assert wording.in_words({"pool_size": [1, 2.5], "kept": True}) == "pool size 1, 2.5, kept yes"
    assert wording.in_words(list(range(20))).endswith("11, and 8 more")


def test_a_long_text_is_cut_at_a_word():
    assert wording.beginning("short", 10) == "short"
    assert wording.beginning("some words, and more of them", 12) == "some words…"
    assert wording.beginning("w" * 20, 10) == "w" * 10 + "…"

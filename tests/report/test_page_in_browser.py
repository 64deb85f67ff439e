"""The page as a headless Chromium shows it: `pytest -m browser`, with chromium, chromedriver and the extra `browser`."""

import json

import pytest

from gotd_jax.report import page
from tests.report.pages import EVIL, found

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars"
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="module", params=[(width, mode) for width in (390, 1440) for mode in ("light", "dark")], ids=str)
def shown(request, driver, tmp_path_factory):
    """Opens the page at a width in a colour scheme, and returns the driver, the width and what Chromium noted."""
    width, mode = request.param
    path = tmp_path_factory.mktemp("page") / "report.html"
    page.write(found(), path)
    phone = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    scheme = [{"name": "prefers-color-scheme", "value": mode}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(path.as_uri())
    for element in driver.find_elements("css selector", "details"):
        driver.execute_script("arguments[0].open = true", element)
    noted = {kind: driver.get_log(kind) for kind in ("browser", "performance")}
    return driver, width, mode, noted


def test_the_page_is_no_wider_than_the_screen(shown):
    driver, width, _, _ = shown
    assert driver.execute_script("return innerWidth") == width
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_no_element_reaches_beyond_the_screen(shown):
    driver, *_ = shown
    beyond = """return [...document.querySelectorAll('body *')].filter(element => {
        const box = element.getBoundingClientRect();
        return box.width && (box.right > innerWidth + 1 || box.left < -1);
    }).map(element => element.outerHTML.slice(0, 200))"""
    assert driver.execute_script(beyond) == []


def test_labels_of_an_axis_do_not_overlap(shown):
    driver, *_ = shown
    overlapping = """return [...document.querySelectorAll('.plot > svg')].flatMap(chart => {
        const labels = [...chart.querySelectorAll('text[text-anchor="middle"][y="100%"]')];
        const boxes = labels.map(label => label.getBoundingClientRect());
        return boxes.slice(1).filter((box, place) => box.left < boxes[place].right);
    }).length"""
    assert driver.execute_script(overlapping) == 0


def test_nothing_is_written_to_the_console(shown):
    assert shown[-1]["browser"] == []


def test_no_script_of_a_text_opens_a_dialog(shown):
    from selenium.common.exceptions import NoAlertPresentException

    driver, *_ = shown
    with pytest.raises(NoAlertPresentException):
        _ = driver.switch_to.alert.text
    assert EVIL in driver.find_element("css selector", "#texts").text


def test_nothing_but_the_page_itself_is_asked_for(shown):
    messages = [json.loads(entry["message"])["message"] for entry in shown[-1]["performance"]]
    sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    asked = [each["request"]["url"] for each in sent if each["documentURL"].startswith("file://")]  # and not the browser's own
    assert [url for url in asked if not url.startswith("data:")] == [shown[0].current_url]


def test_the_colours_follow_the_scheme_and_contrast(shown):
    driver, _, mode, _ = shown
    colours = driver.execute_script("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    paper, ink = (_luminance(colour) for colour in colours)
    assert (paper > ink) == (mode == "light")
    assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 7  # WCAG 2, level AAA


def _luminance(colour):
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

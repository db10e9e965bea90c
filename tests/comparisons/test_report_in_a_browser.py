"""The report in a real browser: it loads without a word of complaint, asks for nothing outside, sorts, fits a phone.

Runs where playwright (extra ``browser``) is installed and a Chromium stands on the path; else it is skipped.
"""

import shutil
from dataclasses import replace

import pytest

import problems
from comparisons.check import Finding
from comparisons.report import write_report
from comparisons.runner import run_one

playwright = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    problem = problems.get("himmelblau")
    runs = [run_one(problem, "standard", method) for method in ("newton", "bfgs", "gd-linesearch", "scipy:BFGS")]
    costs = replace(runs[0], cost=9), replace(runs[1], cost=1000), replace(runs[2], cost=80), replace(runs[3], cost=7)
    findings = [Finding("himmelblau", "standard", "newton", True, "at the minimum f = 0")]
    return write_report(costs, findings, tmp_path_factory.mktemp("report"), settings={})


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, page_file):
    """The report in a window of some size; fails at the end on any complaint, or a request for anything outside."""
    complaints, requests, contexts = [], [], []

    def opened(viewport):
        contexts.append(browser.new_context(viewport=viewport))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()] * len(contexts)


def test_every_figure_is_drawn(open_page):
    page = open_page(DESKTOP)
    widths = page.eval_on_selector_all("figure img", "images => images.map(image => image.naturalWidth)")
    assert widths
    assert all(width > 0 for width in widths)


def test_a_click_on_a_heading_sorts_numbers_as_numbers_and_a_second_one_turns_them_round(open_page):
    page = open_page(DESKTOP)
    table = page.locator("section table.sortable").first
    column = table.locator("thead th").all_inner_texts().index("cost")
    heading = table.locator("thead th").nth(column).locator("button")

    def costs():
        rows = table.locator("tbody tr")
        return [float(rows.nth(i).locator("th, td").nth(column).get_attribute("data-value")) for i in range(4)]

    heading.click()
    assert costs() == [7.0, 9.0, 80.0, 1000.0]
    heading.click()
    assert costs() == [1000.0, 80.0, 9.0, 7.0]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_window(open_page, viewport):
    page = open_page(viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]

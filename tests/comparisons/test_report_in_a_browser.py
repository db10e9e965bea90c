"""The report in a real browser: it loads without a word of complaint, asks for nothing outside, sorts, fits a phone.

Runs where playwright (extra ``browser``) is installed and a Chromium stands on the path; else it is skipped.
"""

import shutil
from dataclasses import replace

import pytest

import problems
from comparisons.report.comparison import comparison_document
from comparisons.report.figures import MAX_FIGURE_SECTIONS as MOST
from comparisons.report.files import write
from comparisons.running.protocol import Protocol
from comparisons.running.runner import run_one
from comparisons.running.scipy_check import Finding

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
def runs():
    problem = problems.get("himmelblau")
    found = [run_one(problem, "standard", method) for method in ("newton", "bfgs", "gd-linesearch", "scipy:BFGS")]
    # of a problem that the catalogue does not have there are no scores to draw, and a browser need not see them
    return [
        replace(run, name="hill", problem="hill", cost=cost) for run, cost in zip(found, (9, 1000, 80, 7), strict=True)
    ]


@pytest.fixture(scope="module")
def page_file(runs, tmp_path_factory):
    findings = [Finding("hill", "standard", "newton", True, "at the minimum f = 0")]
    folder = tmp_path_factory.mktemp("report")
    return write(comparison_document(runs, Protocol(), findings=findings, folder=folder), folder)


@pytest.fixture(scope="module")
def long_page_file(runs, tmp_path_factory):
    """As many sections as are folded up."""
    many = [replace(run, start=f"start-{k}") for k in range(MOST + 1) for run in runs]
    return write(comparison_document(many, Protocol()), tmp_path_factory.mktemp("long"))


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

    def opened(viewport, file=page_file):
        contexts.append(browser.new_context(viewport=viewport))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts), "each page itself, nothing else"
    assert [url for url in requests if not url.startswith(("data:", "file:"))] == []


def unfold(page, selector):
    """Open the sections that an element is folded into, as a reader does by clicks, and scroll to it."""
    element = page.locator(selector).first
    element.evaluate(
        "element => { for (let e = element; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true; }"
    )
    element.scroll_into_view_if_needed()  # what is far outside the window is not laid out, and has no text


COST = 4  # its column in the table of a problem


def costs_of(table):
    """The column of costs, from top to bottom."""
    return [float(row.locator("th, td").nth(COST).inner_text()) for row in table.locator("tbody tr").all()]


def test_every_figure_is_drawn(open_page):
    page = open_page(DESKTOP)
    page.eval_on_selector_all("figure img", "images => images.forEach(image => { image.loading = 'eager'; })")
    page.wait_for_function("Array.from(document.images).every(image => image.complete)")
    widths = page.eval_on_selector_all("figure img", "images => images.map(image => image.naturalWidth)")
    assert widths
    assert all(width > 0 for width in widths)


def test_a_click_on_a_heading_sorts_numbers_as_numbers_and_a_second_one_turns_them_round(open_page):
    page = open_page(DESKTOP)
    unfold(page, "#hill table.sortable")
    table = page.locator("#hill table.sortable")
    heading = table.locator("thead button").nth(COST)
    assert heading.inner_text() == "cost"
    heading.click()
    assert costs_of(table) == [7.0, 9.0, 80.0, 1000.0]
    heading.click()
    assert costs_of(table) == [1000.0, 80.0, 9.0, 7.0]


def test_what_is_no_number_comes_last_in_both_directions(open_page):
    page = open_page(DESKTOP)
    unfold(page, "#methods table")
    table = page.locator("#methods table")
    table.locator("tbody tr").first.locator("td").nth(1).evaluate("cell => { cell.textContent = '–'; }")
    heading = table.locator("thead button").nth(2)
    assert heading.inner_text() == "relative cost"
    for _ in range(2):
        heading.click()
        assert table.locator("tbody tr").last.locator("td").nth(1).inner_text() == "–"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_cell_in_the_overview_leads_to_its_run_in_plain_sight(open_page, viewport):
    page = open_page(viewport)
    unfold(page, ".dense")
    page.locator(".dense tbody td a").nth(2).click()
    row = page.locator("tr:target")
    assert row.locator("th").inner_text().endswith("gd-linesearch")  # after its mark
    box = row.bounding_box()
    assert 0 <= box["y"] <= viewport["height"] - box["height"]


def test_a_cell_in_the_overview_unfolds_what_its_run_is_folded_into(open_page, long_page_file):
    page = open_page(DESKTOP, long_page_file)
    assert page.locator("#problems details[open]").count() == 0
    unfold(page, ".dense")
    page.locator(".dense tbody tr").nth(MOST).locator("td a").first.click()
    assert page.locator("#problems details[open] > summary").inner_text().startswith(f"hill · start-{MOST}")
    page.wait_for_timeout(100)
    box = page.locator("tr:target").bounding_box()
    assert 0 <= box["y"] <= DESKTOP["height"] - box["height"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_window(open_page, viewport):
    page = open_page(viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_on_a_phone_the_names_of_the_methods_stay_in_sight_while_a_table_is_scrolled(open_page):
    page = open_page(PHONE)
    unfold(page, "#methods .wide")
    table = page.locator("#methods .wide")
    table.evaluate("frame => { frame.scrollLeft = 200; }")
    name, frame = table.locator("tbody th").first.bounding_box(), table.bounding_box()
    assert name["x"] >= frame["x"]

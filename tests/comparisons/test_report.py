"""The report is one file that needs nothing outside itself and leaves no run out."""

import base64
import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import problems
from comparisons.check import Finding
from comparisons.recorder import Recorder
from comparisons.records import Tuning
from comparisons.report import summary, write_report
from comparisons.runner import Protocol, run_one
from newtonkit import Counts

HIMMELBLAU = problems.get("himmelblau")
SOLVED = run_one(HIMMELBLAU, "standard", "bfgs", Protocol(gtol=1e-8))
LOST = replace(SOLVED, success=False, reason="EVALUATIONS", reached=None, reached_f=None, verdict="not critical")


def make_run(method="newton", **changes):
    return replace(SOLVED, method=method, **changes)


def nowhere(method="gd", **changes):
    return replace(LOST, method=method, **changes)


TUNING = Tuning(0.03, (0.01, 0.03, 0.1), (0.03,), "f - f* <= 1e-06 (f0 - f*)", 500)
RUNS = [
    make_run("newton", cost=60),
    make_run("bfgs", cost=40),
    nowhere("gd", f=1e-5, gap=1e-5, counts=Counts(1000, 1000, 0, 0), cost=3000, tuning=TUNING),
    nowhere("scipy:Newton-CG", success=True, reason="status 0", message="stops <here>"),
]
FINDINGS = [
    Finding("himmelblau", "standard", "newton", True, "at the minimum f = 0"),
    Finding("himmelblau", "standard", "bfgs", False, "ended nowhere & claims it"),
]


class Page(HTMLParser):
    """Every tag with its attributes, every text, and whether tags close in order."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, source):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_report(RUNS, FINDINGS, tmp_path_factory.mktemp("report"), settings={"command": "newtonkit compare"})


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def report(runs, folder, findings=(), **settings):
    return Page(write_report(runs, list(findings), folder, settings=settings).read_text(encoding="utf-8"))


def test_it_asks_for_nothing_outside_itself(page):
    assert not {"link", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            target = attributes.get(name, "#")
            assert target.startswith(("#", "data:image/svg+xml;base64,")), (tag, name, target[:80])
    assert "url(" not in "".join(page.texts)
    assert "@import" not in "".join(page.texts)


def test_its_figures_ask_for_nothing_either(page):
    for image in page.all("img"):
        svg = base64.b64decode(image["src"].partition(",")[2]).decode()
        for _, attributes in Page(svg).tags:
            for name in ("href", "xlink:href"):
                # the colour bar is an image inside the image
                assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))


def test_every_tag_is_closed_in_order(page):
    assert page.open == []


def test_every_run_has_its_row(page):
    for run in RUNS:
        assert page.texts.count(run.method) >= 2, run.method  # in the table of methods and in that of its problem
        assert str(run.cost) in page.texts


def test_every_link_leads_somewhere(page):
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"] for link in page.all("a")} == {f"#{anchor}" for anchor in anchors}


def test_every_figure_has_a_caption_and_a_text_for_those_who_do_not_see_it(page):
    figures = page.all("figure")
    assert len(figures) == len(page.all("figcaption")) == len(page.all("img")) == 3
    assert all(len(image["alt"]) > 20 for image in page.all("img"))


def test_the_figures_are_saved_as_files_too(path):
    names = {file.name for file in (path.parent / "figures").iterdir()}
    assert names == {"overview.png", "himmelblau-convergence.png", "himmelblau-paths.png"}


def test_failures_come_before_what_passed_and_are_counted(page):
    text = " ".join(page.texts)
    assert "1 of 2 failed." in text
    assert text.index("ended nowhere & claims it") < text.index("at the minimum f = 0")


def test_a_false_success_is_called_one(page):
    assert "elsewhere – claims success" in page.texts


def test_the_reason_to_stop_is_explained_where_one_points(page):
    assert "stops <here>" in [attributes.get("title") for attributes in page.all("td")]


def test_the_protocol_states_the_grid_of_learning_rates_and_the_budget(page):
    text = " ".join(page.texts)
    assert "the best of 3 rates from 0.01 to 0.1" in text
    assert "A run may spend 1000 gradients" in text


def test_a_name_that_looks_like_markup_is_shown_and_not_obeyed(tmp_path):
    evil = "<script>alert(1)</script>"
    runs = [replace(run, problem=evil, name=evil, message=evil) for run in RUNS]
    page = report(runs, tmp_path, [replace(FINDINGS[1], problem=evil, sentence=evil)], command=evil)
    assert len(page.all("script")) == 1
    assert evil in page.texts


def test_what_cannot_be_compared_is_reported_all_the_same(tmp_path):
    """A single run, with no trace, of a problem without minima, with numbers that are none, and no findings."""
    run = nowhere(
        name="monkey-saddle",
        problem="monkey-saddle",
        trace=Recorder(HIMMELBLAU).trace(),
        x=(math.nan, math.nan),
        f=math.nan,
        gap=None,
        gradient_norm=math.inf,
        reason="NON_FINITE",
        verdict="undecided",
    )
    page = report([run], tmp_path)
    assert "Nothing was checked: no run of newton, bfgs or lbfgs is among these." in page.texts
    assert {"NaN", "∞"} <= set(page.texts)


def test_one_problem_from_two_starts_makes_two_sections(tmp_path):
    page = report([make_run(), make_run(start="far")], tmp_path)
    assert [section["id"] for section in page.all("section")] == ["himmelblau-standard", "himmelblau-far"]


def test_names_that_differ_only_in_signs_do_not_overwrite_each_other(tmp_path):
    runs = [replace(make_run(), name=name, problem=name) for name in ("a+b", "a-b")]
    page = report(runs, tmp_path)
    assert len({section["id"] for section in page.all("section")}) == 2


def test_the_summary_names_the_cheapest_and_the_dearest_of_those_that_solved_the_problem():
    words = summary(RUNS)
    assert words.startswith("2 of 4 methods ended at the lowest known minimum")
    assert "the cheapest is BFGS at cost 40" in words
    assert "dearest" not in words  # 60 is not twice 40
    assert "the dearest Newton's method with a trust region (newton) at 100, 2.5 times" in summary(
        [replace(RUNS[0], cost=100), RUNS[1]]
    )


def test_the_summary_says_so_when_everyone_solved_the_problem():
    assert summary(RUNS[:2]).startswith("All 2 methods ended at the lowest known minimum")


def test_a_comparison_without_runs_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="no runs"):
        write_report([], [], tmp_path, settings={})

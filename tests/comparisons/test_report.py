"""The report is one file that needs nothing outside itself and leaves no run out."""

import base64
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

import problems
from comparisons.core.endings import Ending
from comparisons.core.runs import Tuning
from comparisons.core.scored import score_runs
from comparisons.report.comparison import comparison_document, terminal_document
from comparisons.report.document import Figure, Section, without_keys
from comparisons.report.figures import MAX_FIGURE_SECTIONS, problem_figures
from comparisons.report.files import write
from comparisons.report.html import html
from comparisons.report.markdown import markdown
from comparisons.report.problem_sections import summary
from comparisons.report.sentences import method_description
from comparisons.report.terminal import show
from comparisons.running.protocol import Protocol
from comparisons.running.recorder import Recorder
from comparisons.running.runner import run_one
from comparisons.running.scipy_check import Finding
from newtonkit import Counts

HIMMELBLAU = problems.get("himmelblau")
PROTOCOL = Protocol()
SOLVED = run_one(HIMMELBLAU, "standard", "bfgs")


def with_cost(run, cost):
    """The run with evaluations of f only, as many as this; the last has the value of the end."""
    rows = run.trace.evaluations
    kept = ("gradient_norm", "distance", "nearest", "seconds")
    columns = {name: np.resize(getattr(rows, name), cost) for name in kept}
    f = np.append(np.full(cost - 1, run.f_start), run.f)
    kind, check = np.full(cost, "f"), np.zeros(cost, dtype=bool)
    evaluations = replace(rows, kind=kind, f=f, check=check, iteration=np.zeros(cost, dtype=np.int32), **columns)
    return replace(run, cost=cost, trace=replace(run.trace, evaluations=evaluations))


def inaccurate(run):
    """The same run, whose f never came close to the minimum."""
    rows = run.trace.evaluations
    return replace(run, trace=replace(run.trace, evaluations=replace(rows, f=np.full(len(rows), run.f_start))))


LOST = replace(
    inaccurate(SOLVED), success=False, reason="EVALUATIONS", reached=None, reached_f=None, verdict="not critical"
)


def make_run(method="newton", **changes):
    return replace(with_cost(SOLVED, changes.pop("cost", 50)), method=method, **changes)


def nowhere(method="gd", **changes):
    return replace(LOST, method=method, **{"ending": Ending.BUDGET} | changes)


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

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    settings = {"command": "newtonkit compare"}
    found = comparison_document(RUNS, PROTOCOL, findings=FINDINGS, settings=settings, folder=folder / "figures")
    return write(found, folder)


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def without_figures(runs, findings=(), **settings):
    return Page(html(comparison_document(runs, PROTOCOL, findings=list(findings), settings=settings)))


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


def test_findings_come_first_and_the_protocol_last(page):
    headings = [
        *("Methods", "Key findings", "All runs in one table", "Profiles and rankings", "Problems"),
        "Check against scipy",
        *("Audit of the counters", "Learning rates", "How it was compared", "Glossary"),
    ]
    places = [len(page.texts) - 1 - page.texts[::-1].index(heading) for heading in headings]
    assert places == sorted(places)


def test_the_answer_comes_before_everything_else_and_only_key_tables_are_open(page):
    text = page.text
    assert text.index("The methods that solved the most") < text.index("(problem and start)")
    outside, depth = [], 0
    for tag, attributes in page.tags:
        depth += tag == "details" and "part" in attributes.get("class", "")
        if tag == "section" and not depth:
            outside.append(attributes["id"])
    assert outside == ["methods", "findings"]
    assert len(page.all("nav")) == 1


def test_equal_keys_have_equal_values(path):
    """No number of the page comes from two sources."""
    found = {}
    pattern = r'data-key="([^"]*)"[^>]*>(?:<i [^>]*>[^<]*</i>)?(?:<a [^>]*>)?([^<]*)<'
    for key, value in re.findall(pattern, path.read_text(encoding="utf-8")):
        found.setdefault(key, []).append(value.strip())
    assert all(len(set(values)) == 1 for values in found.values()), found
    repeated = {key for key, values in found.items() if len(values) > 1}
    assert "himmelblau/standard/bfgs/cost to accuracy" in repeated
    assert "kind/few variables/bfgs/relative" in repeated
    assert len(found) > 40


def test_every_run_has_its_row(page):
    for run in RUNS:
        assert page.texts.count(run.method) >= 3, run.method  # tables of methods, the overview, its problem
        assert str(run.cost) in page.texts


def test_every_link_has_a_target_and_every_run_is_linked_from_the_overview(page):
    anchors = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(anchors)) == len(anchors)
    links = {link["href"] for link in page.all("a")}
    assert links <= {f"#{anchor}" for anchor in anchors}
    assert {f"#r{number}" for number in range(len(RUNS))} <= links


def test_every_figure_has_a_caption_and_a_text_for_those_who_do_not_see_it(page):
    figures = page.all("figure")
    assert len(figures) == len(page.all("figcaption")) == len(page.all("img"))
    assert len(figures) == 1 + 8 + 3, (
        "the answer, eight of the scores, and of the problem its convergence, paths and ribbons"
    )
    assert all(len(image["alt"]) > 10 for image in page.all("img"))


def test_the_figures_are_saved_as_files_and_the_markdown_leads_to_each_of_them(path):
    text = (path.parent / "report.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\(figures/([^)]*)\)", text))
    files = {file.name for file in (path.parent / "figures").iterdir()}
    assert linked == files
    assert {"himmelblau-convergence.svg", "himmelblau-paths.svg", "himmelblau-ribbons.svg"} < files


def test_failed_checks_are_at_the_top_and_come_before_those_that_passed(page):
    first = next(text for text in page.texts[page.texts.index("Glossary") + 1 :] if text)
    assert first == "1 of the 2 checks against scipy failed."
    assert "1 of 2 passed." in page.text
    assert page.text.index("ended nowhere & claims it") < page.text.index("at the minimum f = 0")


def test_a_run_below_a_recorded_minimum_is_the_first_block():
    document = comparison_document([make_run(f=-1.0, gap=-1.0), *RUNS[1:]], PROTOCOL)
    assert document.blocks[0].tone == "bad"
    assert "f = -1.0 is below the lowest recorded minimum" in document.blocks[0].text


def test_a_false_success_is_called_one_and_counted(page):
    assert "budget spent – reports success" in page.texts
    assert "–!" in page.texts, "its entry of the overview"


def test_the_reason_to_stop_is_explained_where_one_points(page):
    assert "stops <here>" in [attributes.get("title") for attributes in page.all("td")]


def test_the_share_of_rates_that_converge_is_that_of_the_whole_grid(page):
    assert "0.03 (1 of 3)" in page.texts


@pytest.mark.parametrize(
    ("protocol", "sentence"),
    [
        (
            Protocol(gradients=70),
            "A run may spend 70 gradients and ten times as many values of f. No solver stops by a",
        ),
        (Protocol(gtol=1e-5), "stops when ‖g‖∞ is at most 1e-5"),
        (Protocol("shipped"), "every solver stops by its own default rules"),
    ],
)
def test_what_ends_a_run_is_stated(protocol, sentence):
    assert sentence in " ".join(method_description(RUNS, protocol))


def test_key_findings_name_who_solves_most_and_how_first_order_methods_compare(page):
    assert "the most: 100 % of the 1 instance (problem and start)" in page.text
    assert re.search(r"First-order methods are the cheapest on \d of 1", page.text)


def test_a_name_that_looks_like_markup_is_shown_as_text(tmp_path):
    evil = "<script>alert(1)</script>"
    runs = [replace(run, problem=evil, name=evil, message=evil) for run in RUNS]
    findings = [replace(FINDINGS[1], problem=evil, sentence=evil)]
    found = comparison_document(runs, PROTOCOL, findings=findings, settings={"command": evil})
    page = Page(html(found))
    assert len(page.all("script")) == 1
    assert evil in page.texts
    assert not re.search(r"(?<!\\)<", markdown(found, tmp_path))


def test_what_cannot_be_scored_is_reported_all_the_same_and_the_page_says_why(tmp_path):
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
    page = Page(write(comparison_document([run], PROTOCOL, folder=tmp_path), tmp_path).read_text(encoding="utf-8"))
    assert "Nothing was checked: there is no run of newton, bfgs or lbfgs." in page.texts
    assert "Nothing can be scored: runs must have an instance that the value test can judge, got none." in page.texts
    assert {"NaN", "∞"} <= set(page.texts)


def test_one_problem_from_two_starts_makes_two_sections():
    page = without_figures([make_run(), make_run(start="far")])
    anchors = [section.get("id", "") for section in page.all("details")]
    assert [anchor for anchor in anchors if anchor.startswith("himmelblau")] == [
        "himmelblau-standard",
        "himmelblau-far",
    ]


def test_names_that_differ_only_in_signs_do_not_overwrite_each_other():
    page = without_figures([replace(make_run(), name=name, problem=name) for name in ("a+b", "a-b")])
    assert {"a-b", "a-b-x"} <= {section.get("id") for section in page.all("details")}


def test_many_problems_are_collapsed_and_have_no_figures(tmp_path):
    runs = [make_run(start=f"start-{k}") for k in range(MAX_FIGURE_SECTIONS + 1)]
    found = comparison_document(runs, PROTOCOL, folder=tmp_path)
    (problems_section,) = [section for section in found.sections if section.anchor == "problems"]
    assert f"There are more than {MAX_FIGURE_SECTIONS} problems and starts" in problems_section.blocks[0]
    each = [block for block in problems_section.blocks if isinstance(block, Section)]
    assert len(each) == MAX_FIGURE_SECTIONS + 1
    assert all(section.collapsed for section in each)
    assert not any(isinstance(block, Figure) for section in each for block in section.blocks)


def test_figures_drawn_by_several_processes_are_those_drawn_by_one(tmp_path):
    sections = [list(score_runs([replace(RUNS[1], name="gone", start=start)])) for start in ("standard", "far")]
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one, two = (problem_figures(tmp_path / str(jobs), ["one", "two"], sections, jobs) for jobs in (1, 2))
    assert [[figure.path.name for figure in found] for found in one] == [
        ["one-convergence.svg"],
        ["two-convergence.svg"],
    ]
    for (first,), (second,) in zip(one, two, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
        assert (first.alt, first.caption) == (second.alt, second.caption)


def test_a_terminal_shows_runs_methods_findings_and_failed_checks():
    console = Console(width=200)
    with console.capture() as capture:
        show(terminal_document(RUNS, FINDINGS), console)
    shown = capture.get()
    for text in ("himmelblau, n = 2, from 'standard'", "Methods", "Key findings", "FAILED  bfgs on himmelblau"):
        assert text in shown
    assert "Check against scipy: 1 of 2 passed." in shown


def test_the_summary_names_the_cheapest_and_the_most_expensive_of_those_that_solved_the_problem():
    words = without_keys(summary(score_runs(RUNS)))
    assert words.startswith("2 of 4 methods reached the lowest known minimum")
    assert "the cheapest is BFGS at cost 40" in words
    assert "most expensive" not in words  # 60 is not twice 40
    assert "the most expensive Newton's method with a trust region (newton) at 100, 2.5 times" in without_keys(
        summary(score_runs([make_run("newton", cost=100), RUNS[1]]))
    )


def test_the_summary_says_so_when_everyone_solved_the_problem():
    assert summary(score_runs(RUNS[:2])).startswith("All 2 methods reached the lowest known minimum")


def test_a_comparison_without_runs_is_a_mistake():
    with pytest.raises(ValueError, match="no runs"):
        comparison_document([], PROTOCOL)

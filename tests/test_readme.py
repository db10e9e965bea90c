"""README and docs: every code block runs by itself, and what they state about files, links and methods is true."""

import importlib
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from comparisons.running.runner import DEFAULT_METHODS, default_problems
from newtonkit.methods.registry import METHODS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WRITTEN_BY_A_BUILD = {"_build", "auto_gallery", "generated"}  # folders of docs
DOCS = [page for page in sorted((ROOT / "docs").rglob("*.md")) if not WRITTEN_BY_A_BUILD & set(page.parts)]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
]


@pytest.fixture
def registries(monkeypatch):
    """Undo what examples register."""
    for module, name in (("problems.registry", "_entries"), ("newtonkit.derivatives.source", "_FACTORIES")):
        table = getattr(importlib.import_module(module), name)
        monkeypatch.setattr(importlib.import_module(module), name, dict(table))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_code_block_runs_by_itself(block, tmp_path, monkeypatch, capsys, registries):
    for package in re.findall(r"^# requires (\w+)$", block, re.MULTILINE):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "documentation", "exec"), {"__name__": "__main__"})
    plt.close("all")
    if "print(" in block:
        assert capsys.readouterr().out


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_the_result_shown_is_the_result_printed(page, capsys):
    block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    exec(compile(block.split("result = newtonkit.minimize(rosenbrock, np.full")[0], "README.md", "exec"), {})
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.search(r"^    (Result of newton.*?)\n\n", text, re.MULTILINE | re.DOTALL).group(1)
    assert _without_numbers(shown) == _without_numbers(capsys.readouterr().out)


def test_the_fit_shown_is_the_fit_printed(capsys):
    text = (ROOT / "docs" / "fitting.md").read_text(encoding="utf-8")
    exec(compile(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], "fitting.md", "exec"), {})
    shown = re.search(r"^    (curve fit: .*?)\n\n\*", text, re.MULTILINE | re.DOTALL).group(1)
    assert _without_numbers(shown) == _without_numbers(capsys.readouterr().out)


def _without_numbers(text):
    """The lines with # in place of numbers: the last digits differ between machines."""
    lines = [re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", line) for line in text.splitlines()]
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_every_method_is_in_the_table():
    assert all(f"`{name}`" in README for name in METHODS)


def test_the_numbers_of_methods_and_problems_are_right():
    assert f"{len(DEFAULT_METHODS)} methods on {len(default_problems())} problems" in README


def test_the_readme_has_at_most_150_lines():
    assert len(README.splitlines()) <= 150


def test_ci_calls_the_test_command_of_the_readme():
    (command,) = re.findall(r"^    (pip install .*pytest .*)$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file), f"{target}#{anchor}"


def _anchors(file):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "CHANGELOG"], ids=lambda page: page.name)
def test_every_file_named_exists(page):
    named = re.findall(r"`((?:newtonkit|problems|comparisons|tests|docs)/[\w/.]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []

"""The lists in the docs are complete: files, and public names."""

import re
from pathlib import Path

import comparisons
import newtonkit

ROOT = Path(__file__).parents[1]


def test_the_list_of_files_names_existing_files_in_every_folder():
    """New files may be missing until ``python docs/list_files.py`` is run."""
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    listed = {}
    for section in text.split("\n## `")[1:]:
        folder = section[: section.index("`")]
        listed[folder] = re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)
    folders = {path.parent for name in ("newtonkit", "problems", "comparisons") for path in (ROOT / name).rglob("*.py")}
    assert {f"{path.relative_to(ROOT).as_posix()}/" for path in folders} == set(listed), "python docs/list_files.py"
    assert [
        f"{folder}{name}" for folder in listed for name in listed[folder] if not (ROOT / folder / name).exists()
    ] == []


def test_every_public_name_is_documented():
    pages = [ROOT / "README.md", *(page for page in (ROOT / "docs").glob("*.md") if page.stem != "files")]
    words = set(re.findall(r"\w+", " ".join(page.read_text(encoding="utf-8") for page in pages)))
    assert sorted({*newtonkit.__all__, *comparisons.__all__} - words) == []


def test_every_public_name_has_a_page_in_the_reference():
    pages = [page for page in (ROOT / "docs" / "reference").glob("*.md") if "eval-rst" in page.read_text("utf-8")]
    listed = re.findall(r"^   (\w+)$", "\n".join(page.read_text("utf-8") for page in pages), re.MULTILINE)
    assert sorted({*newtonkit.__all__, *comparisons.__all__} - set(listed)) == []


def test_the_changelog_names_every_public_class_that_is_new():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for name in ("Evaluator", "TerminationReason", "TrustRegionNewton", "TrustRegionNewtonCG", "GradientTransform"):
        assert name in newtonkit.__all__
        assert f"`{name}`" in text


def test_public_classes_and_functions_have_a_runnable_example():
    without = [name for name in newtonkit.__all__ if ">>>" not in (getattr(newtonkit, name).__doc__ or "")]
    assert without == ["StepFailure"]  # raised inside a method only

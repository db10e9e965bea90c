"""The language of the project: plain standard English of the field (CONTRIBUTING, "Language").

A list of words and phrases that were used as private jargon, or that a non-native reader may misread, is held to zero.
Identifiers count too: an underscore separates words. The test is parametrized by folder, so that a failure names the
folder; `FOLDERS` lists those that are checked.
"""

import re
from pathlib import Path

import pytest

import newtonkit

TOP = Path(newtonkit.__file__).parent.parent

# phrase -> what to write instead
INSTEAD = {
    "beside": "next to, near, compared with",
    "besides": "in addition to, except",
    "dear": "expensive",
    "dearer": "more expensive",
    "dearest": "most expensive",
    "anew": "again",
    "for ever": "without end, always",
    "of ours": "our",
    "goes on": "continues",
    "go on": "continue",
    "going on": "continuing",
    "gone on": "continued",
    "went on": "continued",
    "in words": "as text",
    "told": "given, distinguished",
    "tells": "states, returns, shows",
    "ask for": "require, request",
    "asks for": "requires, requests",
    "asked for": "required, requested",
    "asking for": "requiring, requesting",
    "no use": "useless, discarded",
    "a way out": "an alternative",
    "the house": "the architecture",
    "stands in": "replaces",
    "the like": "similar",
    "says": "states, gives",
    "to and fro": "back and forth, oscillates",
    "mountain": "index-1 saddle",
    "the way down": "descent path",
    "way down": "descent path",
    "forgiven": "ignored",
    "dishonest": "miscounted",
    "misled": "contradicted",
    "in short": "key findings",
    "second look": "check",
    "second thoughts": "check",
    "a surprise": "a large discrepancy",
}
BETWEEN_WORDS = r"[\s_#]+"  # a phrase may cross the end of a line in a comment
PATTERN = re.compile(
    r"(?<![A-Za-z])("
    + "|".join(BETWEEN_WORDS.join(phrase.split()) for phrase in sorted(INSTEAD, key=len, reverse=True))
    + r")(?![A-Za-z])",
    re.IGNORECASE,
)

FOLDERS = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "comparisons/__init__.py",
    "comparisons/__main__.py",
    "comparisons/api.py",
    "comparisons/cli",
    "comparisons/core",
    "comparisons/plots",
    "comparisons/report",
    "comparisons/running",
    "comparisons/scores",
    "comparisons/studies",
    "docs",
    "newtonkit/__init__.py",
    "newtonkit/automatic.py",
    "newtonkit/core",
    "newtonkit/derivatives",
    "newtonkit/driver",
    "newtonkit/enumeration",
    "newtonkit/landscape",
    "newtonkit/linalg",
    "newtonkit/linesearch",
    "newtonkit/objectives",
    "newtonkit/plots",
    "newtonkit/solve.py",
    "newtonkit/training",
    "newtonkit/trustregion",
    "problems",
    "tests/differential",
    "tests/problems",
    "tests/test_lists_in_docs.py",
    "tests/test_readme.py",
]


def texts(folder):
    path = TOP / folder
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in files if file.suffix in (".py", ".md", ".css", ".js", ".html") and file.is_file()]


def found_in(folder):
    found = []
    for file in texts(folder):
        text = file.read_text(encoding="utf-8")
        if file.name == "CHANGELOG.md":  # old names, in the first column of its tables, are exempt
            text = re.sub(r"^\|[^|\n]*\|", "|", text, flags=re.MULTILINE)
        for match in PATTERN.finditer(text):
            phrase = re.sub(BETWEEN_WORDS, " ", match.group(1)).lower()
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{file.relative_to(TOP)}:{line}: {phrase!r}: write {INSTEAD[phrase]}")
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_written_in_plain_standard_english(folder):
    assert texts(folder), f"{folder} does not exist or holds no text"
    found = found_in(folder)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["it goes on", "asks_for = 1", "# it goes\n    # on", "Besides, it", "of\nours"])
def test_a_phrase_is_found_in_any_form(text):
    assert PATTERN.search(text)


@pytest.mark.parametrize("text", ["the likelihood", "endear", "besiege", "the argument on"])
def test_longer_words_are_not_mistaken_for_a_phrase(text):
    assert not PATTERN.search(text)

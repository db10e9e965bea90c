"""The README tells the truth."""

import re
from pathlib import Path

import pytest

from comparisons.running.runner import DEFAULT_METHODS, default_problems
from newtonkit.methods.registry import METHODS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=["solve", "classify", "train", "compare"])
def test_the_examples_run_as_they_stand(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_result_shown_is_the_result_printed(capsys):
    exec(compile(BLOCKS[0].split("result = newtonkit.minimize(rosenbrock, np.full")[0], "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    shown = re.search(r"^    (Result of newton.*?)\n\n", README, re.MULTILINE | re.DOTALL).group(1).splitlines()
    numbers = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")  # the last digits differ between machines
    assert [numbers.sub("#", line.strip()) for line in shown] == [numbers.sub("#", line.strip()) for line in printed]


def test_every_method_is_in_the_table():
    assert all(f"`{name}`" in README for name in METHODS)


def test_the_numbers_of_methods_and_problems_are_right():
    assert f"{len(DEFAULT_METHODS)} methods over {len(default_problems())} problems" in README


def test_every_link_of_the_documents_leads_to_a_file():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_ci_calls_the_test_command_of_the_readme():
    (command,) = re.findall(r"^    (pip install .*pytest .*)$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

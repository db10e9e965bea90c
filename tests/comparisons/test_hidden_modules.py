"""A file of the user's that has the name of one of our packages."""

import subprocess
import sys
from pathlib import Path

import pytest

import comparisons

TOP = Path(comparisons.__file__).parents[1]


@pytest.mark.parametrize("package", ["problems", "newtonkit"])
def test_a_file_that_hides_a_package_is_named(tmp_path, package):
    (tmp_path / f"{package}.py").write_text("mine = 1\n", encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text("import comparisons\ncomparisons.compare\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env={"PYTHONPATH": str(TOP)}, check=False
    )
    assert run.returncode == 1
    assert f"{tmp_path / f'{package}.py'} hides it; rename that file" in run.stderr

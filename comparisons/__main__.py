"""``python -m comparisons`` is ``newtonkit``."""

from comparisons.cli import main

main(prog_name="newtonkit")

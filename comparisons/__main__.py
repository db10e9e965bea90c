"""``python -m comparisons`` is ``newtonkit``."""

from comparisons.cli.main import main

main(prog_name="newtonkit")

"""``python -m comparisons`` is ``newtonkit``."""

from __future__ import annotations

import sys

_EXTRA = ("click", "rich", "jinja2", "sklearn", "PIL")  # packages of the extra "compare", as they are imported


def main() -> None:
    """Run the command line; if a package of the extra ``compare`` is missing, print which one and how to install it."""
    try:
        from comparisons.cli.main import main as command_line

        command_line(prog_name="newtonkit")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        sys.exit(f"newtonkit: the command line requires {package}: pip install 'newtonkit[compare]'")


if __name__ == "__main__":
    main()

"""Write docs/files.md: every folder and file of the three packages with the first paragraph of its docstring.

Run it by hand after files were added, renamed or removed: ``python docs/list_files.py``.
"""

import ast
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PACKAGES = ("newtonkit", "problems", "comparisons")
HEAD = """# Files

This list is generated from the first paragraph of each docstring: `python docs/list_files.py`.
[Architecture](architecture.md) explains how the folders depend on each other.
"""


def summary(path: Path) -> str:
    """The first paragraph of a file's docstring, for a cell of a table."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    text = " ".join(docstring.split("\n\n")[0].split())
    return text.replace("``", "`").replace("|", "\\|")


def section(folder: Path) -> list[str]:
    """The lines of a folder: its own summary, then a line for each file."""
    files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    init = folder / "__init__.py"
    lines = ["", f"## `{folder.relative_to(TOP).as_posix()}/`", "", summary(init) if init.exists() else ""]
    if files:
        lines += ["", "| file | content |", "|---|---|"]
        lines += [
            f"| `{path.name}` | {summary(path).replace('``', '`').replace('|', chr(92) + '|')} |" for path in files
        ]
    return lines


def page() -> str:
    """The whole page."""
    lines = [HEAD.rstrip()]
    for package in PACKAGES:
        folders = sorted({path.parent for path in (TOP / package).rglob("*.py")})
        for folder in folders:
            lines += section(folder)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (TOP / "docs" / "files.md").write_text(page(), encoding="utf-8")

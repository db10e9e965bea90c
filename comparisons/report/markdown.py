"""Documents as GitHub Markdown, with links to the figure files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from comparisons.report.document import Block, Bullets, Document, Figure, Note, Section, Table, without_keys

_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#$"})


def markdown(document: Document, folder: Path) -> str:
    """The whole document as one text; paths of figures are relative to the folder."""
    parts = [f"# {_escape(document.title)}"]
    for block in document.blocks:
        parts += _render(block, folder, 2)
    return "\n\n".join(part for part in parts if part) + "\n"


def _render(block: Block, folder: Path, level: int) -> Iterator[str]:
    match block:
        case str():
            yield _escape(block)
        case Note():
            yield f"**{_escape(block.text)}**"
        case Bullets():
            yield "\n".join(f"- {_escape(item)}" for item in block.items)
        case Table():
            if block.title:
                yield f"**{_escape(block.title)}**"
            yield _table(block)
        case Figure():
            link = Path(os.path.relpath(block.path, folder)).as_posix()
            yield f"{'' if block.is_video else '!'}[{_escape(block.alt)}]({link})"
            yield _escape(block.caption)
        case Section():
            yield f"{'#' * level} {_escape(block.title)}"
            for part in block.blocks:
                yield from _render(part, folder, level + 1)


def _table(table: Table) -> str:
    rule = ["---" if i in table.text else "---:" for i in range(len(table.headings))]
    rows = [[_escape(cell.text) for cell in row] for row in table.cells]
    lines = [[_escape(heading) for heading in table.headings], rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    """The text without marks that Markdown or HTML would interpret."""
    return without_keys(text).translate(_SPECIAL).replace("\n", " ")

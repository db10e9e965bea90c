"""Documents on a terminal. Collapsed sections are left out."""

from __future__ import annotations

import rich.table
from rich.console import Console
from rich.text import Text

from comparisons.report.document import Block, Bullets, Document, Figure, Note, Section, Table, without_keys

_STYLES = {"": "", "good": "green", "bad": "bold red", "soft": "yellow"}


def show(document: Document, console: Console) -> None:
    """Print the document."""
    console.print(Text(document.title, "bold"))
    for block in document.blocks:
        _show(block, console)


def rich_table(table: Table) -> rich.table.Table:
    """The table for ``rich.print``."""
    found = rich.table.Table(title=Text(table.title) if table.title else None, title_justify="left", box=None)
    for i, heading in enumerate(table.headings):
        found.add_column(Text(heading), justify="left" if i in table.text else "right")
    for row in table.cells:
        found.add_row(*(Text(without_keys(cell.text), _STYLES[cell.tone]) for cell in row))
    return found


def _show(block: Block, console: Console) -> None:
    match block:
        case str():
            console.print(Text(without_keys(block)))
        case Note():
            console.print(Text(block.text, _STYLES[block.tone]))
        case Bullets():
            for item in block.items:
                console.print(Text(f"· {without_keys(item)}"))
        case Table():
            console.print()
            console.print(rich_table(block))
        case Figure():
            console.print()
            console.print(Text(f"{block.path}: {block.caption}"))
        case Section() if not block.collapsed:
            console.print()
            console.print(Text(block.title, "bold"))
            for part in block.blocks:
                _show(part, console)

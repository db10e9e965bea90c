"""What an experiment hands back: words, tables and pictures, as a terminal, Markdown and one HTML file show them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rich.table
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console

_MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif", ".mp4": "video/mp4"}
_MARKS = re.compile(r"([\\`*_<|])")


@dataclass(frozen=True)
class Table:
    """Rows of words and numbers that are words already; the first column is text, the others are set to the right.

    Parameters
    ----------
    title : str
    headings : sequence of str
    rows : sequence of sequence of str
        Each as long as the headings.
    text : sequence of int, default (0,)
        The columns that are text.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: Sequence[int] = (0,)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ValueError(
                    f"rows must have {len(self.headings)} entries, as many as there are headings; got {list(row)}"
                )

    def rich(self) -> rich.table.Table:
        """For a terminal."""
        table = rich.table.Table(title=self.title, title_justify="left", box=None)
        for i, heading in enumerate(self.headings):
            table.add_column(heading, justify="left" if i in self.text else "right")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """As a table of GitHub's Markdown, under its title."""
        rule = ["---" if i in self.text else "---:" for i in range(len(self.headings))]
        rows = [[_plain(cell) for cell in row] for row in (self.headings, *self.rows)]
        lines = [" | ".join(row) for row in (rows[0], rule, *rows[1:])]
        return f"**{_plain(self.title)}**\n\n" + "\n".join(f"| {line} |" for line in lines)


@dataclass(frozen=True)
class Picture:
    """A file that is written already: .png, .svg, .gif or .mp4.

    Parameters
    ----------
    path : Path
    alt : str
        For those who cannot see it.
    caption : str
        What it shows, written from its data.
    """

    path: Path
    alt: str
    caption: str

    def __post_init__(self) -> None:
        if self.path.suffix not in _MEDIA:
            raise ValueError(f"path must end in {', '.join(_MEDIA)}, got {self.path}")

    @property
    def moving(self) -> bool:
        """Whether it is a film, which a page plays rather than shows."""
        return self.path.suffix == ".mp4"

    @property
    def source(self) -> str:
        """The file as a data URI."""
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f"data:{_MEDIA[self.path.suffix]};base64,{data}"


@dataclass(frozen=True)
class Report:
    """An experiment told: what was done and what came out, in plain words; tables; pictures."""

    title: str
    paragraphs: Sequence[str]
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()

    def write(self, out: Path) -> Path:
        """Write ``report.md``, and ``report.html`` with the pictures inside it, into the folder; the page's path."""
        (out / "report.md").write_text(self.markdown(out), encoding="utf-8")
        page = out / "report.html"
        page.write_text(page_environment().get_template("experiment.html.j2").render(report=self), encoding="utf-8")
        return page

    def markdown(self, out: Path) -> str:
        """The report as Markdown, with links to its pictures relative to the folder."""
        parts = [f"# {_plain(self.title)}", *map(_plain, self.paragraphs)]
        for picture in self.pictures:
            link = Path(os.path.relpath(picture.path, out)).as_posix()
            parts += [f"{'' if picture.moving else '!'}[{_plain(picture.alt)}]({link})", _plain(picture.caption)]
        parts += [table.markdown() for table in self.tables]
        return "\n\n".join(parts) + "\n"

    def show(self, console: Console) -> None:
        """Print the words, the tables, and where the pictures are."""
        console.print(self.title, style="bold", highlight=False)
        for paragraph in self.paragraphs:
            console.print(paragraph, highlight=False, markup=False)
        for table in self.tables:
            console.print()
            console.print(table.rich())
        for picture in self.pictures:
            console.print()
            console.print(f"{picture.path}: {picture.caption}", highlight=False, markup=False)


def page_environment() -> Environment:
    """What makes pages of the templates: every value escaped, a name that is not given an error."""
    return Environment(
        loader=PackageLoader("comparisons"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plain(text: str) -> str:
    """The text with the marks of Markdown escaped: two f* in a sentence are no italics."""
    return _MARKS.sub(r"\\\1", text)

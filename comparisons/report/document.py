"""A document as plain data: sections of text, tables and figures. HTML, Markdown and terminal renderers read it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T")
Tone = Literal["", "good", "bad", "soft"]

# In a paragraph, a number with its key stands between control characters that no text has.
_START, _MIDDLE, _END = "\x1c", "\x1d", "\x1e"
_KEYED = re.compile(f"{_START}(.*?){_MIDDLE}(.*?){_END}")

MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif", ".mp4": "video/mp4"}


def keyed(key: str, text: str) -> str:
    """A number for use in a paragraph, with the key that states what it is.

    HTML has the key as ``data-key``; equal keys of a page have equal texts.
    """
    return f"{_START}{key}{_MIDDLE}{text}{_END}"


def without_keys(text: str) -> str:
    """The paragraph as plain text.

    Examples
    --------
    >>> without_keys(f"newton solves {keyed('solved/newton', '12')}.")
    'newton solves 12.'
    """
    return _KEYED.sub(r"\2", text)


def split_keys(text: str) -> list[tuple[str, str]]:
    """The paragraph as pairs of key and text; the key of ordinary text is empty."""
    pieces = _KEYED.split(text)
    return [("", pieces[0])] + [
        pair for k in range(1, len(pieces), 3) for pair in ((pieces[k], pieces[k + 1]), ("", pieces[k + 2]))
    ]


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell with more than its text.

    Parameters
    ----------
    text : str
    link : str, default ""
        Anchor in the same document.
    hint : str, default ""
        Explanation, shown in HTML when the pointer is on the cell.
    tone : str, default ""
        "good", "bad" or "soft".
    dot : str, default ""
        Colour of the symbol in front of the text, as "#rrggbb"; empty for none.
    symbol : str, default "●"
        One character.
    fill : str, default ""
        Background colour on which black text is readable, as "#rrggbb".
    key : str, default ""
        What the number is. Equal keys of a document have equal texts, see `keyed`.
    """

    text: str
    link: str = ""
    hint: str = ""
    tone: Tone = ""
    dot: str = ""
    symbol: str = "●"
    fill: str = ""
    key: str = ""


Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Table:
    """Rows of formatted cells. Text columns are aligned to the left, number columns to the right.

    Parameters
    ----------
    title : str
        May be empty.
    headings : sequence of str
    rows : sequence of sequence of str or Cell
        Each as long as the headings.
    text : sequence of int, default (0,)
        The indices of the text columns.
    anchors : sequence of str, default ()
        One for each row, or none.
    dense : bool, default False
        Whether it is a matrix of short entries with upright headings.
    stacked : bool, default False
        Whether a narrow screen shows each row as a list of its entries with their headings.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Row]
    text: Sequence[int] = (0,)
    anchors: Sequence[str] = ()
    dense: bool = False
    stacked: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ValueError(f"rows must have {len(self.headings)} entries, one for each heading; got {list(row)}")

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows, every entry as a `Cell`."""
        return [[entry if isinstance(entry, Cell) else Cell(entry) for entry in row] for row in self.rows]


@dataclass(frozen=True)
class Figure:
    """A figure file: .png, .svg, .gif or .mp4.

    Parameters
    ----------
    path : Path
        Of the file, which is written before the document is rendered.
    alt : str
        Text for readers who cannot see the figure.
    caption : str
        What it shows, written from its data.
    """

    path: Path
    alt: str
    caption: str

    def __post_init__(self) -> None:
        if self.path.suffix not in MEDIA_TYPES:
            raise ValueError(f"path must end in {', '.join(MEDIA_TYPES)}, got {self.path}")

    @property
    def is_video(self) -> bool:
        """Whether a page plays it."""
        return self.path.suffix == ".mp4"

    @property
    def data_uri(self) -> str:
        """The content of the file, to be put inside a page."""
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f"data:{MEDIA_TYPES[self.path.suffix]};base64,{data}"


@dataclass(frozen=True)
class Note:
    """A paragraph that stands out: good news or bad news."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Section:
    """A part of a document under a heading.

    Parameters
    ----------
    title : str
    blocks : sequence of Block
        A str is a paragraph.
    anchor : str, default ""
        Where links to the section lead.
    collapsed : bool, default False
        Whether HTML shows the title only until the reader opens it. The terminal leaves such sections out.
    """

    title: str
    blocks: Sequence[Block]
    anchor: str = ""
    collapsed: bool = False


@dataclass(frozen=True)
class Document:
    """A report.

    Parameters
    ----------
    title : str
    blocks : sequence of Block
    """

    title: str
    blocks: Sequence[Block]

    @property
    def sections(self) -> list[Section]:
        """The sections at the top level."""
        return [block for block in self.blocks if isinstance(block, Section)]

    def parts(self, kind: type[T]) -> list[T]:
        """All blocks of this kind in reading order, those inside sections included."""
        found: list[T] = []
        pending = list(reversed(self.blocks))
        while pending:
            block = pending.pop()
            if isinstance(block, kind):
                found.append(block)
            if isinstance(block, Section):
                pending += reversed(block.blocks)
        return found


Block = str | Note | Bullets | Table | Figure | Section

"""Tables for notebooks: plain HTML without style or script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A table with a title above and notes below; all text is escaped.

    Parameters
    ----------
    title : str
        May be empty.
    headings : sequence of str
        Empty: the first entry of each row is its heading.
    rows : iterable of sequence of str
    notes : sequence of str, optional

    Examples
    --------
    >>> html_table("", ("x",), [("<1",)])
    '<table><tr><th>x</th></tr><tr><td>&lt;1</td></tr></table>'
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = ""
    for row in rows:
        cells = [f"<td>{escape(text)}</td>" for text in row]
        if not headings:
            cells[0] = f"<th>{escape(row[0])}</th>"
        body += f"<tr>{''.join(cells)}</tr>"
    above = f"<p><b>{escape(title)}</b></p>" if title else ""
    return f"{above}<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>" + "".join(
        f"<p>{escape(note)}</p>" for note in notes
    )

"""Documents as files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from comparisons.plots.style import save
from comparisons.report.document import Document, Figure
from comparisons.report.html import html
from comparisons.report.markdown import markdown


def write(document: Document, folder: Path) -> Path:
    """Write ``report.html`` and ``report.md`` into the folder, which is made if needed; the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown(document, folder), encoding="utf-8")
    page = folder / "report.html"
    page.write_text(html(document), encoding="utf-8")
    return page


def save_figure(drawing: Drawing, path: Path, alt: str, caption: str) -> Figure:
    """Write a matplotlib figure to a file; the figure of a document."""
    return Figure(save(drawing, path), alt, caption)

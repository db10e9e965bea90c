"""Documents as HTML pages. A page is one file: style, script and figures are inside it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from comparisons.report.document import Bullets, Document, Figure, Note, Section, Table, split_keys

_KINDS = {Note: "note", Bullets: "bullets", Table: "table", Figure: "figure", Section: "section", str: "text"}


def html(document: Document) -> str:
    """The page. All text is escaped."""
    environment = Environment(
        loader=PackageLoader("comparisons"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pieces"] = split_keys
    environment.filters["kind"] = lambda block: _KINDS[type(block)]
    return environment.get_template("document.html.j2").render(document=document)

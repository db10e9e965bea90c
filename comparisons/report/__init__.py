"""The report of a comparison: one page that needs no network, the same as Markdown, and the figures as files.

`contents` says what stands in it; `figures`, `grid`, `sections` and `sentences` make the parts; `page` and `markdown`
write them down.
"""

from comparisons.report.contents import Contents, contents
from comparisons.report.page import write_report

__all__ = ["Contents", "contents", "write_report"]

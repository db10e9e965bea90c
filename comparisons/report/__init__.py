"""The report of a comparison: HTML, Markdown, terminal."""

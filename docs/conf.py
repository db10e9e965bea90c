"""Settings of the documentation: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``.

The pages of the reference that list methods, reasons and problems are written from the registries at each build, so
they cannot differ from the code. Nothing is fetched from a network.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import matplotlib  # noqa: E402

matplotlib.use("agg")

import gallery_figures  # noqa: E402
import reference_pages  # noqa: E402

import newtonkit  # noqa: E402

project = "newtonkit"
author = "the newtonkit developers"
copyright = "the newtonkit developers, MIT licence"
version = release = newtonkit.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx-mathjax-offline",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}
exclude_patterns = ["_build", "images", "gallery", "auto_gallery/*.ipynb"]
# types of returned values that are not public
nitpick_ignore_regex = [("py:class", r"newtonkit\..*")]
templates_path = ["_templates"]
root_doc = "index"

# blocks of code are run by the tests; the gallery is run by the build
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# links from pages to files of the project that are not pages
myst_all_links_external = False
suppress_warnings = ["config.cache"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_gallery"],
    "filename_pattern": r"/plot_",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
    "image_scrapers": ("matplotlib", gallery_figures.scraper),
    "reset_modules": ("matplotlib",),
    "doc_module": ("newtonkit", "comparisons"),
    "min_reported_time": 3600,
}

html_theme = "pydata_sphinx_theme"
html_title = "newtonkit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "use_edit_page_button": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_show_sourcelink = False
html_copy_source = False


_LITERAL = re.compile(r"(``.*?``|`.*?`)")


def _escape_bars(app, what, name, obj, options, lines):
    """Let |x| mean the absolute value: reStructuredText would read it as a substitution."""
    for number, line in enumerate(lines):
        if "|" in line and not line.lstrip().startswith((">>>", "...", "|", "+")):
            parts = _LITERAL.split(line)
            lines[number] = "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in parts)


def setup(app):
    """Write the generated pages before they are read."""
    app.connect("builder-inited", lambda app: reference_pages.write(HERE / "reference"))
    app.connect("autodoc-process-docstring", _escape_bars)

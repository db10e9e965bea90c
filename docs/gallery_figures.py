"""Figures of newtonkit in the gallery: they do not belong to pyplot, so an example names them ``figure``."""

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scraper(block, block_vars, gallery_conf, **kwargs):
    """Save the figure that the example has named ``figure``, once."""
    figure = block_vars["example_globals"].pop("figure", None)
    if not isinstance(figure, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, bbox_inches="tight", dpi=100)
    return figure_rst([path], gallery_conf["src_dir"])

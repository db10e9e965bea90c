"""The pictures that are not scores, each with the function that writes its caption from the same data.

They are matplotlib figures, made without pyplot. Of runs: `convergence` and `paths` take those of one problem from one
start, `order_of_convergence` the same for a problem of two variables, `overview` takes all. Of a problem: `basins`
shows where starts lead to, `ribbons` how f curves along a run, `anatomy` a single step; `basin_figure`,
`ribbon_figure` and `anatomy_figure` make one of these and its caption from a problem and plain arguments.
"""

from comparisons.plots.basin_plots import basin_figure, basins, basins_caption
from comparisons.plots.basins import basin_map
from comparisons.plots.convergence import convergence, convergence_caption
from comparisons.plots.convergence_order_plots import order_caption, order_of_convergence
from comparisons.plots.eigenvalue_ribbon_plots import ribbon_figure, ribbons, ribbons_caption
from comparisons.plots.eigenvalue_ribbons import eigenvalue_ribbons
from comparisons.plots.overview import overview, overview_caption
from comparisons.plots.paths import paths, paths_caption
from comparisons.plots.step_anatomy import step_anatomy
from comparisons.plots.step_anatomy_plots import anatomy, anatomy_caption, anatomy_figure
from comparisons.plots.style import save, style, svg_text, thin
from comparisons.scores.convergence_order import observed_order

__all__ = [
    "anatomy",
    "anatomy_caption",
    "anatomy_figure",
    "basin_figure",
    "basin_map",
    "basins",
    "basins_caption",
    "convergence",
    "convergence_caption",
    "eigenvalue_ribbons",
    "observed_order",
    "order_caption",
    "order_of_convergence",
    "overview",
    "overview_caption",
    "paths",
    "paths_caption",
    "ribbon_figure",
    "ribbons",
    "ribbons_caption",
    "save",
    "step_anatomy",
    "style",
    "svg_text",
    "thin",
]

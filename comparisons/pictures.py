"""The pictures that are not scores, each with the function that writes its caption from the same data.

They are matplotlib figures, made without pyplot. Of runs: `convergence` and `paths` take those of one problem from one
start, `order_of_convergence` the same for a problem of two variables, `overview` takes all. Of a problem: `basins`
shows where starts lead to, `ribbons` how f curves along a run, `anatomy` a single step; `basin_picture`,
`ribbon_picture` and `anatomy_picture` make one of these and its caption from a problem and plain arguments.
"""

from comparisons.anatomy import step_anatomy
from comparisons.anatomy_pictures import anatomy, anatomy_caption, anatomy_picture
from comparisons.basin_pictures import basin_picture, basins, basins_caption
from comparisons.basins import basin_map
from comparisons.convergence import convergence, convergence_caption
from comparisons.drawing import save, style, svg_text, thin
from comparisons.order import observed_order, order_caption, order_of_convergence
from comparisons.overview import overview, overview_caption
from comparisons.paths import paths, paths_caption
from comparisons.ribbon_pictures import ribbon_picture, ribbons, ribbons_caption
from comparisons.ribbons import eigenvalue_ribbons

__all__ = [
    "anatomy",
    "anatomy_caption",
    "anatomy_picture",
    "basin_map",
    "basin_picture",
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
    "ribbon_picture",
    "ribbons",
    "ribbons_caption",
    "save",
    "step_anatomy",
    "style",
    "svg_text",
    "thin",
]

"""The pictures that are not scores, each with the function that writes its caption from the same data.

They are matplotlib figures, made without pyplot. Of runs: `convergence` and `paths` take those of one problem from one
start, `order_of_convergence` the same for a problem of two variables, `overview` takes all. Of a problem: `basins`
shows where starts lead to, `ribbons` how f curves along a run, `anatomy` a single step; `basin_picture`,
`ribbon_picture` and `anatomy_picture` make one of these and its caption from a problem and plain arguments.
"""

from comparisons.drawing import save, style, svg_text, thin
from comparisons.pictures.anatomy import step_anatomy
from comparisons.pictures.anatomy_pictures import anatomy, anatomy_caption, anatomy_picture
from comparisons.pictures.basin_pictures import basin_picture, basins, basins_caption
from comparisons.pictures.basins import basin_map
from comparisons.pictures.convergence import convergence, convergence_caption
from comparisons.pictures.order import observed_order, order_caption, order_of_convergence
from comparisons.pictures.overview import overview, overview_caption
from comparisons.pictures.paths import paths, paths_caption
from comparisons.pictures.ribbon_pictures import ribbon_picture, ribbons, ribbons_caption
from comparisons.pictures.ribbons import eigenvalue_ribbons

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

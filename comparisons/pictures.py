"""The pictures of a comparison, each with the function that writes its caption from the same runs.

They are matplotlib figures, made without pyplot. `convergence` and `paths` take the runs of one problem from one start,
`order_of_convergence` the same for a problem of two variables, `overview` takes all runs.
"""

from comparisons.convergence import convergence, convergence_caption
from comparisons.drawing import save, style, svg_text, thin
from comparisons.order import observed_order, order_caption, order_of_convergence
from comparisons.overview import overview, overview_caption
from comparisons.paths import paths, paths_caption

__all__ = [
    "convergence",
    "convergence_caption",
    "observed_order",
    "order_caption",
    "order_of_convergence",
    "overview",
    "overview_caption",
    "paths",
    "paths_caption",
    "save",
    "style",
    "svg_text",
    "thin",
]

"""
Comparing solvers on equal terms
================================

Four solvers on three problems: the figure of `comparisons.compare`.
"""

import comparisons

found = comparisons.compare(
    ["rosenbrock", "beale", "wood"], ["newton", "lbfgs", "scipy:L-BFGS-B", "scipy:trust-exact"], starts="standard"
)
print(found)
figure = found.plot()

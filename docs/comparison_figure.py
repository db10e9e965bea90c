"""Write the figure of README.md, and its numbers, from the store that ``newtonkit compare`` wrote.

    python docs/comparison_figure.py report/runs.sqlite

It writes docs/images/comparison.png and docs/images/comparison.json: for each problem and method the cost until
f − f* has fallen to 1e-8 of its initial value, null if that was not reached. tests/comparisons/test_readme_figure.py
compares these costs with fresh runs, and the text of README.md with them.
"""

import json
import math
import sys
from pathlib import Path

from comparisons.core.prices import ad_costs
from comparisons.core.runs import from_record
from comparisons.core.solving import TOLERANCE, spending
from comparisons.plots.heatmaps import cost_heatmap
from comparisons.running.store import Store

IMAGES = Path(__file__).parent / "images"

with Store(sys.argv[1]) as store:
    runs = [from_record(row.record, row.arrays) for row in store.rows()]
table = spending(runs, tolerance=TOLERANCE).priced(ad_costs)
cost_heatmap(table).savefig(IMAGES / "comparison.png", dpi=90)
costs = {
    instance.problem: {
        method: float(cost) if math.isfinite(cost) else None for method, cost in zip(table.methods, row, strict=True)
    }
    for instance, row in zip(table.instances, table.costs, strict=True)
}
(IMAGES / "comparison.json").write_text(json.dumps(costs, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

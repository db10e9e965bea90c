"""Trust regions: subproblem solvers, step bounds, and the radius update."""

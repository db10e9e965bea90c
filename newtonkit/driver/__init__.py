"""The iteration, the stopping rules, the convergence decision, and the result of a run."""

"""What newtonkit costs and solves, measured: derivatives, a step, whole runs, and solvers over many problems."""

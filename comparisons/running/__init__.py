"""How runs are made: protocol, recorder, adapters to solvers, processes, store."""

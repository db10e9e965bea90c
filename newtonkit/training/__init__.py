"""Training on mini-batches: first-order rules and sampled L-BFGS for a loss over data."""

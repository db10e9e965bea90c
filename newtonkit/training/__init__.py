"""Training on mini-batches: first-order rules, and L-BFGS, on sampled gradients of a loss over data."""

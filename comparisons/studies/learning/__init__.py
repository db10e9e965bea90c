"""Training and first-order methods: experiments with learning rates, mini-batches and networks."""

"""Plain autograd tracing."""

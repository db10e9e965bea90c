"""The tape: recording autograd once and replaying it as straight-line numpy."""

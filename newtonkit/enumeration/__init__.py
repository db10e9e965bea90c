"""All critical points of a function in a box."""

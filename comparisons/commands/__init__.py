"""The commands of ``newtonkit``, a family a file; `comparisons.cli` gathers them."""

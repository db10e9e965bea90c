"""Methods, one per file; `registry` maps names to them."""

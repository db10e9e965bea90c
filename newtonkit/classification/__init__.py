"""Classification of a critical point."""

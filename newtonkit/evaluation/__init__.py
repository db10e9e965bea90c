"""One run's counted and budgeted view of an objective."""

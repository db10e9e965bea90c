"""Critical points: tests of classify and find_critical_points where the truth is known."""

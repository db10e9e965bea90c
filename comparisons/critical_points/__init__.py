"""What `newtonkit.classify` and `newtonkit.find_critical_points` are worth, measured on points that are known."""

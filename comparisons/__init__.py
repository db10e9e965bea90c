"""Run methods over problems, check them against scipy, and report."""

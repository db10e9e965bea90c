"""The collection of Moré, Garbow and Hillstrom."""

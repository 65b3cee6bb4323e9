"""Losses as arrays: in NumPy, their names, and the temperature that suits scores."""

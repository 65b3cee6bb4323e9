"""Losses compared over seeds, rates and noise."""

"""Losses that users bring: torch modules and functions, copied for each fit."""

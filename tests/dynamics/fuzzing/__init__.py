"""Damaged files, guided by which lines of ours they reach."""

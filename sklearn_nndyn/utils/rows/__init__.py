"""Rows of data, converted a batch at a time."""

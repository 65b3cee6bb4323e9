"""Fits that go on after a kill."""

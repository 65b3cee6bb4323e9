"""Modules, losses and callbacks that are not ours, and the laws that a fit with each of them keeps."""

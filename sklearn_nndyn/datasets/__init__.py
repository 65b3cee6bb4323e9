"""Data to learn from."""

from sklearn_nndyn.datasets._images import load_images

__all__ = ["load_images"]

"""Data to learn from, and what can be wrong with data."""

from sklearn_nndyn.datasets._checkerboard import make_checkerboard
from sklearn_nndyn.datasets._images import load_images
from sklearn_nndyn.datasets._input_noise import corrupt_inputs
from sklearn_nndyn.datasets._label_noise import corrupt_labels
from sklearn_nndyn.datasets._spirals import make_spirals

__all__ = ["corrupt_inputs", "corrupt_labels", "load_images", "make_checkerboard", "make_spirals"]

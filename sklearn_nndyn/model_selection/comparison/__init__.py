"""Losses compared, at levels of noise and over seeds."""

from sklearn_nndyn.model_selection.comparison._compare import compare_losses
from sklearn_nndyn.model_selection.comparison._result import LossComparison

__all__ = ["LossComparison", "compare_losses"]

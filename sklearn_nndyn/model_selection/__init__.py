"""Search and comparison, with all candidates trained at once."""

from sklearn_nndyn.model_selection._compare_losses import LossComparison, compare_losses
from sklearn_nndyn.model_selection._search import BatchedGridSearchCV

__all__ = ["BatchedGridSearchCV", "LossComparison", "compare_losses"]

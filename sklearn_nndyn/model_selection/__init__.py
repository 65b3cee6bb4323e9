"""Search and comparison, with all candidates trained at once."""

from sklearn_nndyn.model_selection.comparison import LossComparison, compare_losses
from sklearn_nndyn.model_selection.search import BatchedGridSearchCV

__all__ = ["BatchedGridSearchCV", "LossComparison", "compare_losses"]

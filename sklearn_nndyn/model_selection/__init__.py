"""Search and comparison, with all candidates trained at once."""

from sklearn_nndyn.model_selection.comparison._compare import LossComparison, compare_losses
from sklearn_nndyn.model_selection.search._search import BatchedGridSearchCV

__all__ = ["BatchedGridSearchCV", "LossComparison", "compare_losses"]

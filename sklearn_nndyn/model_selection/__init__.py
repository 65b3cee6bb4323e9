"""Search and comparison, with all candidates trained at once."""

from sklearn_nndyn.model_selection._search import BatchedGridSearchCV

__all__ = ["BatchedGridSearchCV"]

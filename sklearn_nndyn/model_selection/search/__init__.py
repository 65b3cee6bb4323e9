"""Grid search with all candidates trained at once."""

from sklearn_nndyn.model_selection.search._search import BatchedGridSearchCV

__all__ = ["BatchedGridSearchCV"]

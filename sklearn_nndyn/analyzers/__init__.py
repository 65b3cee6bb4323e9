"""What a record means: one phenomenon an analyzer, each a scikit-learn transformer of a record."""

from sklearn_nndyn.analyzers._loss_tails import LossTailAnalyzer

__all__ = ["LossTailAnalyzer"]

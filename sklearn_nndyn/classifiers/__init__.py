"""The classifier, and how it is trained."""

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier

__all__ = ["DynamicsClassifier"]

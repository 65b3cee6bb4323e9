"""scikit-learn neural classifiers that remember how they learned every sample."""

from sklearn_nndyn.classifiers import DynamicsClassifier
from sklearn_nndyn.dynamics import Dynamics, load_dynamics

__all__ = ["Dynamics", "DynamicsClassifier", "load_dynamics"]

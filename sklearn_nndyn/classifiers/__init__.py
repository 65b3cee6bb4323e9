"""The classifier, and how it is trained: by itself, or many together."""

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier
from sklearn_nndyn.classifiers._parameters import check_parameters
from sklearn_nndyn.classifiers._programs import prepare, train
from sklearn_nndyn.classifiers._together import fit_together
from sklearn_nndyn.classifiers.checkpoint import Checkpoint, CheckpointPlace

__all__ = ["Checkpoint", "CheckpointPlace", "DynamicsClassifier", "fit_together"]

"""The classifier, and how it is trained: by itself, or many together."""

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier
from sklearn_nndyn.classifiers._parameters import check_parameters
from sklearn_nndyn.classifiers.checkpoint import Checkpoint, CheckpointPlace
from sklearn_nndyn.classifiers.together._groups import train_in_groups
from sklearn_nndyn.classifiers.together._programs import all_finished, prepare, train
from sklearn_nndyn.classifiers.together._together import fit_together

__all__ = ["Checkpoint", "CheckpointPlace", "DynamicsClassifier", "fit_together"]

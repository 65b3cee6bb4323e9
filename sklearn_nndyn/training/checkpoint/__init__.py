"""Places on the disk that a training goes on from; private to the package."""

from sklearn_nndyn.training.checkpoint._encoding import CannotSave
from sklearn_nndyn.training.checkpoint._place import DESCRIPTION, RESULT, Place, facts_of
from sklearn_nndyn.training.checkpoint._writer import CheckpointWriter

__all__ = []

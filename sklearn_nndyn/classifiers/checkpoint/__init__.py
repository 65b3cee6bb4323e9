"""Fits that go on after a kill: where they are kept, and what tells them apart."""

from sklearn_nndyn.classifiers.checkpoint._checkpoint import Checkpoint, CheckpointPlace, as_checkpoint
from sklearn_nndyn.classifiers.checkpoint._identity import check_checkpoint, identity_of
from sklearn_nndyn.classifiers.checkpoint._opening import is_finished, opened
from sklearn_nndyn.classifiers.checkpoint._results import SavedResults

__all__ = ["Checkpoint", "CheckpointPlace"]

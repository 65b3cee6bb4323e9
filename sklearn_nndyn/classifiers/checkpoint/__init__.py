"""Fits that go on after a kill: where they are kept, and what tells them apart."""

from sklearn_nndyn.classifiers.checkpoint._checkpoint import Checkpoint, CheckpointPlace, as_checkpoint
from sklearn_nndyn.classifiers.checkpoint._identity import check_checkpoint
from sklearn_nndyn.classifiers.checkpoint._opening import opened

__all__ = ["Checkpoint", "CheckpointPlace"]

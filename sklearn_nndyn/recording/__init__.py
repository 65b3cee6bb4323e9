"""Looking at a network while it learns, or afterwards."""

from sklearn_nndyn.recording._callback import RecordDynamics
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.recording._snapshots import Snapshots

__all__ = ["RecordDynamics", "Recorder", "Snapshots", "make_schedule"]

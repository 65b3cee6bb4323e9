"""Looking at a network while it learns, or afterwards."""

from sklearn_nndyn.recording._callback import RecordDynamics
from sklearn_nndyn.recording._gradients import Gradients
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.recording._snapshots import Snapshots
from sklearn_nndyn.recording.decoders._probe import Probe
from sklearn_nndyn.recording.decoders._reconstruction import Reconstruction

__all__ = ["Gradients", "Probe", "Reconstruction", "RecordDynamics", "Recorder", "Snapshots", "make_schedule"]

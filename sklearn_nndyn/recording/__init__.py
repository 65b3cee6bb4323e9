"""Networks evaluated for a record, while they learn or afterwards."""

from sklearn_nndyn.recording._continuing import (
    read_record,
    read_snapshots,
    restore_record,
    restore_snapshots,
)
from sklearn_nndyn.recording._geometry import Geometry
from sklearn_nndyn.recording._gradients import Gradients
from sklearn_nndyn.recording._record import (
    RECORDINGS,
    check_all_samples,
    check_network,
    check_record,
    check_recorded,
    chosen_samples,
    layer_recordings,
    what_to_record,
    without_choice,
)
from sklearn_nndyn.recording._recorder import Recorder, record_in_fit, recorder_of_fit
from sklearn_nndyn.recording._replay import replay, staged_scores
from sklearn_nndyn.recording._samples import Samples, measure_samples
from sklearn_nndyn.recording._schedule import (
    RecordSchedule,
    count_iterations,
    is_auto,
    is_default,
    make_record_schedule,
    make_schedule,
)
from sklearn_nndyn.recording._snapshots import (
    Snapshots,
    check_same_kind,
    check_snapshots,
    make_snapshots,
    step_of,
)
from sklearn_nndyn.recording._stacked import StackedRecorder
from sklearn_nndyn.recording.decoders._decode import decode
from sklearn_nndyn.recording.decoders._probe import Probe
from sklearn_nndyn.recording.decoders._reconstruction import Reconstruction
from sklearn_nndyn.recording.nets._callback import RecordDynamics
from sklearn_nndyn.recording.storage._sizes import LargeRecordWarning, warn_of_size

__all__ = [
    "Geometry",
    "Gradients",
    "LargeRecordWarning",
    "Probe",
    "Reconstruction",
    "RecordDynamics",
    "Recorder",
    "Samples",
    "Snapshots",
    "make_schedule",
]

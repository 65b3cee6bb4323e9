"""The engine: batches, one step, optimizers, and the epoch loop with its hooks and rollback; private to the package."""

from sklearn_nndyn.training._callbacks import check_callbacks, check_monitors, verbosity
from sklearn_nndyn.training._dry_run import check_once
from sklearn_nndyn.training._early_stopping import EarlyStopping, ReconstructionStopping
from sklearn_nndyn.training._epoch_loop import EpochLoop
from sklearn_nndyn.training._epoch_runner import count_steps, needs_two_rows
from sklearn_nndyn.training._hooks import TrainingHook
from sklearn_nndyn.training._ids import check_ids, takes_ids
from sklearn_nndyn.training._net import DynamicsNet, ModuleFactory, TrainingData
from sklearn_nndyn.training._network_fit import NetworkFit
from sklearn_nndyn.training._optimizers import (
    change_optimizer,
    check_optimizer_params,
    check_patterns,
    find_optimizer,
    optimizer_settings,
)
from sklearn_nndyn.training._recording_hook import is_auto, is_default, make_record_schedule

__all__ = []

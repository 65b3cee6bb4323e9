"""The engine: batches, one step, optimizers, and the epoch loop with its hooks and rollback; private to the package.

One network is trained by `EpochLoop`, `EpochRunner` and `MLPStep` (or autograd), many by the same names in `stacked`.
They share the hooks and the order in which they are called, the user's callbacks, the checks of divergence, the
cutting into batches and the orders of the rows, the optimizers' kernels, the nonlinearities, losses and recorders.
They do not share the step: many small networks are fast side by side because activations lie feature by feature and
each layer is one batched product, and one network is slower so. Trained as a stack of one it takes 1.3 of its time with
64 features, 100 units and batches of 32, 1.2 of it with 784 features, 256 units and batches of 128, and 1.03 with 1000
units and batches of 64, where products are nearly all.
"""

from sklearn_nndyn.training._early_stopping import EarlyStopping, ReconstructionStopping
from sklearn_nndyn.training._epoch_loop import EpochLoop
from sklearn_nndyn.training._hooks import TrainingHook
from sklearn_nndyn.training._net import DynamicsNet, ModuleFactory, TrainingData
from sklearn_nndyn.training._network_fit import NetworkFit
from sklearn_nndyn.training._optimizers import (
    change_optimizer,
    check_optimizer_params,
    check_patterns,
    complete_optimizer,
    find_optimizer,
    optimizer_settings,
)
from sklearn_nndyn.training.batches._cutting import count_steps, needs_two_rows
from sklearn_nndyn.training.batches._transform import BatchTransform, check_batch_transform
from sklearn_nndyn.training.checks._callbacks import as_list, check_callbacks, check_monitors, verbosity
from sklearn_nndyn.training.checks._dry_run import check_once
from sklearn_nndyn.training.checks._ids import check_ids, takes_ids

__all__ = []

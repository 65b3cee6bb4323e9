"""One network's training: what it is made of, what is recorded of it, and the hooks around its epochs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sklearn_nndyn.losses import is_known
from sklearn_nndyn.recording import RecordSchedule, make_snapshots, step_of, warn_of_size
from sklearn_nndyn.training._early_stopping import EarlyStopping
from sklearn_nndyn.training._hooks import DivergenceGuard, ProgressBar, TrainingHook, Validation
from sklearn_nndyn.training._net import DynamicsNet, TrainingData
from sklearn_nndyn.training._recording_hook import Recording
from sklearn_nndyn.training.batches._transform import BatchTransform
from sklearn_nndyn.training.checkpoint import CheckpointWriter
from sklearn_nndyn.utils.networks.evaluation import Evaluator


@dataclass(eq=False)
class NetworkFit:
    """All that a loop needs to train one network, by itself or among others.

    Parameters
    ----------
    net : DynamicsNet
    data : TrainingData
        The rows that are trained on.
    watched : dict of TrainingData
        The rows that are recorded: ``"train"`` and, where there are some, ``"validation"``.
    state : object
        State kept from one fit to the next and changed by this one: ``seed``, the generators ``shuffling`` and
        ``randomness``, ``snapshots`` (or None), ``iterations``, ``stopper`` (or None).
    epochs : int
    shuffle : bool
    record : tuple
    schedule : RecordSchedule
    keep_weights : bool, "trainable", int, str or os.PathLike
        Whether to keep the weights of the recorded epochs.
    n_classes : int
    make_stopper : callable, optional
        ``make_stopper(recording)`` is the hook that stops early.
    score : callable, optional
        Gives a score of the network on the validation rows, for what stops early.
    verbose : bool
        Whether to show a bar.
    places : ndarray of int, optional
        See `BatchRecorder`.
    transform : BatchTransform, optional
        Changes each batch that is trained on.
    autocast : callable, optional
        Makes the context of the forward passes of training.
    restored_epoch : int, optional
        The epoch whose weights the user's callbacks have restored, once training is over.
    hooks : list of TrainingHook
        Others that are called last; `begin` puts its own before them.
    checkpoint : CheckpointWriter, optional
        Writes the state of the program that this fit belongs to.
    """

    net: DynamicsNet
    data: TrainingData
    watched: dict
    state: object
    epochs: int
    shuffle: bool
    record: tuple
    schedule: RecordSchedule
    keep_weights: Any
    n_classes: int
    make_stopper: Callable | None = None
    score: Callable | None = None
    verbose: bool = False
    hooks: list[TrainingHook] = field(default_factory=list)
    checkpoint: CheckpointWriter | None = None
    places: Any = None
    transform: BatchTransform | None = None
    autocast: Callable | None = None
    restored_epoch: int | None = None

    @property
    def has_callbacks(self):
        """Whether the user gave skorch callbacks."""
        return self.net.callbacks not in (None, "disable", [], ())

    @property
    def generators(self):
        """The generators that epochs draw from, beside that of the order of the rows."""
        return [self.state.randomness] + ([] if self.transform is None else [self.transform.numbers])

    @property
    def validation(self):
        """The validation rows, or None."""
        return self.watched.get("validation")

    @property
    def best_epoch(self):
        """The epoch whose weights were restored, or None."""
        own = None if self.stopper is None else self.stopper.best_epoch
        return own if self.restored_epoch is None else self.restored_epoch

    @property
    def lasting_stopper(self):
        """The hook that stops early, where a later fit goes on from what it has seen."""
        return self.stopper if isinstance(self.stopper, EarlyStopping) else None

    def begin(self, epochs):
        """Make the hooks for so many epochs."""
        self.recording = self._make_recording(epochs)
        evaluator = Evaluator(self.data.X.device, is_known(self.net.criterion_))
        last_epoch = len(self.net.history) + epochs
        self.guard = DivergenceGuard(self.data, self.recording, evaluator, last_epoch)
        self.validator = None
        if "validation" in self.watched:
            self.validator = Validation(self.watched["validation"], self.recording, evaluator, self.score)
        self.stopper = self.make_stopper(self.recording) if self.make_stopper is not None else None
        self.bar = ProgressBar(epochs, self.recording) if self.verbose else None
        self.hooks[:0] = [hook for hook in self._own_hooks().values() if hook is not None]

    def _own_hooks(self):
        names = ("recording", "guard", "validator", "stopper", "bar")
        return {name: getattr(self, name) for name in names}

    def named_hooks(self):
        """The hooks that `begin` made and that are called, by name."""
        return {name: hook for name, hook in self._own_hooks().items() if hook in self.hooks}

    def _make_recording(self, epochs):
        capacity, step = self.schedule.begin(self.net.history, epochs), step_of(self.keep_weights)
        n_snapshots = -(-capacity // step)
        recording = Recording(
            self.watched,
            self.net.criterion_,
            self.record,
            self.schedule,
            self._begin_snapshots(n_snapshots),
            self.state.iterations,
            self.n_classes,
            capacity,
            self.data,
            self.places,
            step,
        )
        recorders, snapshots = list(recording.recorders.values()), recording.snapshots
        kept = 0 if snapshots is None else len(snapshots.epochs)
        warn_of_size(recorders, self.net.module_, snapshots, capacity, kept + n_snapshots)
        return recording

    def _begin_snapshots(self, n_snapshots):
        """What keeps the weights, begun in an earlier fit or now; None where they are not to be kept."""
        state, net = self.state, self.net
        if not self.keep_weights:
            return None
        if state.snapshots is None:
            state.snapshots = make_snapshots(self.keep_weights, net.module_, n_snapshots, net.criterion_)
        return state.snapshots

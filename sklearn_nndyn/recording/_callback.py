"""The recorder as a skorch callback, for any net."""

import time
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.utils import data_from_dataset, to_tensor

from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.recording._record import check_network, check_record, what_to_record
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.utils.modules import evaluation_mode, first_output
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.versions import versions

RECORDS = ("dynamics_", "validation_dynamics_")


class RecordDynamics(Callback):
    """Record what happens to every sample of a ``skorch.NeuralNetClassifier``, epoch by epoch.

    After training the net carries ``dynamics_``, the record of the samples it was trained on, and, where it
    holds out some (``train_split``), ``validation_dynamics_``. The net's own training step, criterion and
    iterators are left as they are: recording changes nothing of the training.

    Parameters
    ----------
    record : tuple of str or objects, default=("samples", "geometry")
        What to look at: ``"samples"``, ``"geometry"``, ``"scores"``, ``"reconstruction"``, ``"probe"``; in place of
        the last two also ``Reconstruction`` and ``Probe``.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to look; epoch 0 is the net before its first update.
    loss : str, ClassificationLoss, torch module or callable, optional
        What to measure of each sample; by default the net's own criterion.

    Attributes
    ----------
    dynamics_, validation_dynamics_ : Dynamics
        The records, also set on the net.

    Examples
    --------
    >>> import torch
    >>> from skorch import NeuralNetClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn.recording import RecordDynamics
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NeuralNetClassifier(
    ...     torch.nn.Linear(4, 3), criterion=torch.nn.CrossEntropyLoss, max_epochs=5, train_split=None,
    ...     callbacks=[RecordDynamics()], verbose=0,
    ... ).fit(X.astype("float32"), y)
    >>> net.dynamics_.shape
    (150, 6)
    """

    def __init__(self, record=("samples", "geometry"), record_epochs="all", loss=None):
        self.record = record
        self.record_epochs = record_epochs
        self.loss = loss

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Forget earlier records and check the parameters."""
        check_record(self.record)
        if "gradients" in what_to_record(self.record):
            raise ValueError(
                "RecordDynamics cannot record gradients: what the criterion is given need not be what the module "
                "returns. Use DynamicsClassifier."
            )
        for holder in (self, net):
            for name in RECORDS:
                if hasattr(holder, name):
                    delattr(holder, name)
        # skorch takes every attribute without a last underscore for a parameter.
        self.schedule_ = make_schedule(self.record_epochs)
        self.loss_ = _loss_of(net, self.loss)
        self.recorders_, self.seconds_, self.last_look_ = None, [], time.perf_counter()

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Look once before the first update."""
        if self.recorders_ is None:
            datasets = zip(RECORDS, (dataset_train, dataset_valid), strict=True)
            self.recorders_ = {}
            for name, data in datasets:
                if data is not None:
                    self.recorders_[name] = self._recorder(net, data)
            # The history already holds the line of the epoch that begins.
            self._look(net, len(net.history) - 1)

    def on_epoch_end(self, net, **kwargs):
        """Look as if training had stopped here."""
        self._look(net, len(net.history))

    def on_train_end(self, net, **kwargs):
        """Freeze the records and hand them to the net."""
        for name, recorder in (self.recorders_ or {}).items():
            y = recorder.y.cpu().numpy()
            record = recorder.dynamics(y, np.arange(recorder.n_classes), self._header(net))
            setattr(self, name, record)
            setattr(net, name, record)
        self.recorders_ = None

    def _recorder(self, net, dataset):
        X, y = data_from_dataset(dataset)
        X, y = to_tensor(X, net.device), to_tensor(y, net.device).long()
        if not isinstance(X, torch.Tensor):
            raise TypeError(
                f"RecordDynamics needs the input as one array, the net was given a {type(X).__name__}."
            )
        n_classes = _n_outputs(net, X)
        capacity = 1 + sum(self.schedule_(len(net.history) + e) for e in range(net.max_epochs))
        check_network(self.record, net.module_, X)
        return Recorder(
            X,
            y,
            self.loss_,
            n_classes=n_classes,
            record=self.record,
            capacity=capacity,
            reference=self.recorders_.get(RECORDS[0]),
        )

    def _look(self, net, epoch):
        if self.schedule_(epoch):
            for recorder in self.recorders_.values():
                with _only_looking(net, recorder.X.device):
                    recorder.look(net.module_, epoch, call=_scores_of(net))
            now = time.perf_counter()
            self.seconds_.append(now - self.last_look_)
            self.last_look_ = now

    def _header(self, net):
        return {
            "estimator": type(net).__name__,
            "versions": versions(),
            "seconds_per_epoch": self.seconds_,
        }

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("schedule_", "recorders_")}


@contextmanager
def _only_looking(net, device):
    """All modules of the net in evaluation mode, and the global generators as they are."""
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(untouched_generators(device))
        for name in net._modules:
            stack.enter_context(evaluation_mode(getattr(net, f"{name}_")))
        yield


def _loss_of(net, loss):
    try:
        return get_loss(net.criterion_ if loss is None else loss)
    except (TypeError, ValueError) as error:
        raise type(error)(f"RecordDynamics(loss=...): {error}") from error


def _scores_of(net):
    """How to get raw scores: a net with NLLLoss gives probabilities, of which skorch takes the logarithm."""
    if not isinstance(net.criterion_, torch.nn.NLLLoss):
        return lambda x: first_output(net.infer(x))

    def log_probabilities(x):
        p = first_output(net.infer(x))
        return torch.log(p + torch.finfo(p.dtype).eps)

    return log_probabilities


def _n_outputs(net, X):
    with _only_looking(net, X.device):
        scores = _scores_of(net)(X[:2])
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(
            f"RecordDynamics needs a score for each class, (n_samples, n_classes); the net gives {tuple(scores.shape)} "
            f"for {len(X[:2])} samples."
        )
    return scores.shape[1]

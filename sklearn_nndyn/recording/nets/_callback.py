"""The recorder as a skorch callback, for any classifier net.

A little longer than 300 lines: half of them document the class, where its parameters are stored.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from skorch import NeuralNet
from skorch.callbacks import Callback

from sklearn_nndyn.dynamics import concatenate_epochs
from sklearn_nndyn.recording._record import (
    check_all_samples,
    check_network,
    check_record,
    layer_recordings,
    what_to_record,
)
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.recording.nets._rows import NetRows
from sklearn_nndyn.recording.nets._scores import (
    all_modules,
    check_kind,
    check_scores,
    current_loss,
    only_evaluating,
    run_net,
)
from sklearn_nndyn.utils.networks.evaluation import keeps_modes, unchanged

SPLITS = {"dynamics_": "train", "validation_dynamics_": "validation"}
RECORDS = tuple(SPLITS)
NOT_PICKLED = ("schedule_", "recorders_", "rows_", "parameters_")


class RecordDynamics(Callback):
    """Record what happens to every sample of a skorch classifier, epoch by epoch.

    After training the net carries ``dynamics_``, the record of the samples it was trained on, and, where it
    holds out some (``train_split``), ``validation_dynamics_``. Row i is row i of the dataset.

    The rows are read through the net's own ``iterator_valid``, so that the record is of what the net is given: after
    the dataset's ``transform`` and the iterator's ``collate_fn``, with the parameters that ``fit`` passes on to
    ``forward``. The loss is that of the criterion as it is at that moment. All modules and criteria are in evaluation
    mode meanwhile. The net's training step, criterion and iterators are left as they are: recording changes nothing
    of the training.

    An epoch is recorded after all other callbacks have seen its end. ``partial_fit``, and ``fit`` with
    ``warm_start``, go on with the record; on other samples the record starts again, at the epoch reached; so does
    that of a dataset which gives other values in every pass (random augmentation).

    Parameters
    ----------
    record : tuple of str or objects, default=("samples", "geometry")
        What to record: ``"samples"``, ``"geometry"``, ``"scores"``, ``"reconstruction"``, ``"probe"``; in place of
        the last two also ``Reconstruction`` and ``Probe``, which need the input as one array.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to record; epoch 0 is the net before its first update.
    loss : str, ClassificationLoss, torch module or callable, optional
        Loss to record for each sample; by default the net's own criterion.

    Attributes
    ----------
    dynamics_, validation_dynamics_ : Dynamics
        The records, also set on the net.

    Notes
    -----
    ``NeuralNetClassifier`` takes the logarithm of what the module gives to ``NLLLoss``, and so does the record, whose
    scores are then log-probabilities. The one output z of a ``NeuralNetBinaryClassifier`` stands for the scores 0 and
    z of two classes.

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

    def __init__(
        self,
        record: Sequence[Any] = ("samples", "geometry"),
        record_epochs: Any = "all",
        loss: Any = None,
    ) -> None:
        self.record = record
        self.record_epochs = record_epochs
        self.loss = loss

    def on_train_begin(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Check the parameters, and forget the record of a net that begins anew.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net that is trained.
        X, y : object, optional
            Not used.
        **kwargs : dict
            Not used.
        """
        check_record(self.record)
        check_all_samples(self.record, "RecordDynamics")
        if "gradients" in what_to_record(self.record):
            raise ValueError(
                "RecordDynamics cannot record gradients: what the criterion is given need not be what the module "
                "returns. Use DynamicsClassifier."
            )
        check_kind(net)
        current_loss(net, self.loss)
        if not (len(net.history) and hasattr(self, "digests_")):  # a history may have been loaded
            self._forget(net)
        # skorch takes every attribute without a last underscore for a parameter.
        self.schedule_ = make_schedule(self.record_epochs)
        self.recorders_: dict[str, Recorder] | None = None
        self.rows_: dict[str, NetRows] = {}
        self.seconds_: list[float] = []
        self.parameters_: dict[str, Any] = {}
        self.finished_, self.last_time_ = None, time.perf_counter()
        _learn_parameters(net, self)
        _come_last(net, self)

    @keeps_modes
    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Record once before the first update.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net that is trained.
        dataset_train, dataset_valid : torch.utils.data.Dataset, optional
            What is recorded.
        **kwargs : dict
            Not used.
        """
        if self.recorders_ is None:
            self.recorders_ = {}
            for name, dataset in zip(RECORDS, (dataset_train, dataset_valid), strict=True):
                if dataset is not None:
                    self.recorders_[name] = self._recorder(net, name, dataset)
            # The history already holds the line of the epoch that begins.
            self._record(net, len(net.history) - 1)

    @keeps_modes
    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record as if training had stopped here.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net that is trained.
        **kwargs : dict
            Not used.
        """
        self.finished_ = None
        self._record(net, len(net.history))

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Freeze the records and hand them to the net.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net that is trained.
        **kwargs : dict
            Not used.
        """
        for name, recorder in (self.recorders_ or {}).items():
            self._keep(net, name, recorder.dynamics(header=self._header(net, name)))
        self.recorders_, self.rows_ = None, {}

    def _forget(self, net):
        self.digests_ = {}
        for holder in (self, net):
            for name in RECORDS:
                if hasattr(holder, name):
                    delattr(holder, name)

    def _keep(self, net, name, record):
        digest, earlier = self.rows_[name].digest, getattr(self, name, None)
        if earlier is not None and self.digests_.get(name) == digest:
            record = _joined(earlier, record)
        self.digests_[name] = digest
        setattr(self, name, record)
        setattr(net, name, record)

    def _recorder(self, net, name, dataset):
        """What records a dataset, tried on its first rows."""
        with only_evaluating(net), unchanged(all_modules(net)):
            rows = self.rows_[name] = NetRows(net, dataset)
            run, (x, _) = run_net(net, self.parameters_), next(rows.chunks())
            scores = run(x)
            check_scores(scores, rows.y)
            source = rows
            if layer_recordings(self.record) or rows.arrays is not None:
                source = rows.as_array(_names(self.record))
                check_network(self.record, all_modules(net), source, run)
        return Recorder(
            source,
            rows.y,
            current_loss(net, self.loss),
            n_classes=scores.shape[1],
            record=self.record,
            capacity=1 + sum(self.schedule_(len(net.history) + e) for e in range(net.max_epochs)),
            reference=self.recorders_.get(RECORDS[0]),
        )

    def _record(self, net, epoch):
        if self.schedule_(epoch):
            for recorder in self.recorders_.values():
                with only_evaluating(net):
                    recorder.loss = current_loss(net, self.loss)
                    recorder.record(all_modules(net), epoch, call=run_net(net, self.parameters_))
            now = time.perf_counter()
            self.seconds_.append(now - self.last_time_)
            self.last_time_ = now

    def _header(self, net, name):
        return {
            "split": SPLITS[name],
            "estimator": type(net).__name__,
            "seconds_per_epoch": self.seconds_,
        }

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in NOT_PICKLED}


class _First(Callback):
    """Notified before the other callbacks, of which one may end the training before the recorder is notified.

    Parameters
    ----------
    recorder : RecordDynamics
    """

    def __init__(self, recorder):
        self.recorder = recorder

    def on_epoch_end(self, net, **kwargs):
        """Note that an epoch was trained whose end the recorder has not seen yet."""
        self.recorder.finished_ = len(net.history)

    def on_train_end(self, net, **kwargs):
        """Record the last epoch if need be, before a callback restores other weights."""
        if self.recorder.finished_ is not None:
            self.recorder.on_epoch_end(net)
        net.callbacks_ = [item for item in net.callbacks_ if item[1] is not self]


def _come_last(net, recorder):
    """Let the recorder be notified after all other callbacks, and a helper of its own before them."""
    others = [
        item
        for item in net.callbacks_
        if item[1] is not recorder and getattr(item[1], "recorder", None) is not recorder
    ]
    own = [item for item in net.callbacks_ if item[1] is recorder]
    net.callbacks_ = [("record_dynamics_first", _First(recorder)), *others, *own]


def _learn_parameters(net, recorder):
    """Note what ``fit`` gives for ``forward``: skorch hands it to the loop over the epochs, and to no callback."""

    def fit_loop(X, y=None, epochs=None, **parameters):
        del net.fit_loop
        recorder.parameters_ = {name: v for name, v in parameters.items() if name != "_routing_method"}
        return net.fit_loop(X, y, epochs, **parameters)

    net.fit_loop = fit_loop


def _joined(earlier, record):
    """The later record as the continuation of the earlier one, where it is one."""
    new = record.epochs > earlier.epochs[-1]
    if earlier.fields != record.fields or not np.array_equal(earlier.classes, record.classes):
        return record
    if not new.any():
        return earlier
    seconds = [s for s, is_new in zip(record.header["seconds_per_epoch"], new, strict=True) if is_new]
    later = record.select_epochs(record.epochs[new])
    return concatenate_epochs(earlier, replace(later, header={**record.header, "seconds_per_epoch": seconds}))


def _names(record):
    return " and ".join(type(recording).__name__ for recording in layer_recordings(record))

"""Keras: a callback that records, on any backend."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_nndyn.dynamics import Dynamics, DynamicsLog
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.recording.integrations._framework import FrameworkCallback

BATCH_SIZE = 1024
LEAST = np.finfo(np.float32).tiny


class KerasRecorder(FrameworkCallback):
    """A Keras callback that records what happens to every sample, epoch by epoch.

    The samples are evaluated before the first update, and at the end of each epoch, by the model's own prediction:
    training goes on as if nothing had been recorded.

    Parameters
    ----------
    X : array of shape (n_samples, ...), or what else ``predict_on_batch`` takes rows of
        The samples, of the training or held out.
    y : array of shape (n_samples,)
        Labels. One output is the score, or the probability, of the second of two classes.
    classes : array of shape (n_classes,), optional
        All classes, sorted, in the order of the outputs; by default the labels in ``y``.
    loss : str or callable, default="log"
        What to record of each sample, as in `DynamicsLog`.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to record; epoch 0 is the model before its first update.
    from_logits : bool, optional
        Whether the outputs are logits; otherwise they are probabilities, and their logarithms are the scores. By
        default the loss that the model was compiled with tells.

    Raises
    ------
    ValueError
        If ``X`` and ``y`` are not of as many samples, or a parameter is not as it must be.
    ModuleNotFoundError
        If Keras is not installed (the extra ``keras``).

    Examples
    --------
    The lines that matter. The whole program is ``docs/guide/frameworks/keras_loop.py``;
    ``make test-integrations`` runs it.

    >>> recorder = KerasRecorder(X_test, y_test)  # doctest: +SKIP
    >>> model.fit(X_train, y_train, epochs=20, callbacks=[recorder])  # doctest: +SKIP
    >>> record = recorder.dynamics()  # doctest: +SKIP
    """

    _base, _extra = ("keras.callbacks", "Callback"), "keras"

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        classes: Any = None,
        loss: str | Callable = "log",
        record_epochs: Any = "all",
        from_logits: bool | None = None,
    ) -> None:
        super().__init__()
        self.X, self.y, self.classes, self.loss = X, y, classes, loss
        self.record_epochs, self.from_logits = record_epochs, from_logits
        self._schedule, self._log = make_schedule(record_epochs), self._new_log()
        check_consistent_length(X, y)

    def dynamics(self) -> Dynamics:
        """What was recorded so far of the last training.

        Returns
        -------
        record : Dynamics
            The record of the samples, row for row.

        Raises
        ------
        ValueError
            If nothing was recorded.
        """
        return self._log.dynamics()

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin a record.

        Parameters
        ----------
        logs : dict, optional
            Not used.
        """
        self._log = self._new_log()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Record before the first update.

        Parameters
        ----------
        epoch : int
            The epochs trained.
        logs : dict, optional
            Not used.
        """
        if not self._log.epochs:
            self._evaluate(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record as if training had stopped here.

        Parameters
        ----------
        epoch : int
            The number of this epoch, from 0.
        logs : dict, optional
            Not used.
        """
        self._evaluate(epoch + 1)

    def _new_log(self):
        return DynamicsLog(self.y, classes=self.classes, loss=self.loss)

    def _evaluate(self, epoch):
        if self._schedule(epoch):
            for rows in np.split(np.arange(len(self.y)), range(BATCH_SIZE, len(self.y), BATCH_SIZE)):
                self._log.add(epoch, rows, self._scores(self.model.predict_on_batch(self.X[rows])))

    def _scores(self, outputs):
        if self._gives_logits():
            return outputs
        if outputs.shape[1:] in ((), (1,)):
            p = np.asarray(outputs, dtype=np.float64).reshape(-1, 1)
            outputs = np.hstack([1 - p, p])
        return np.log(np.maximum(outputs, LEAST))

    def _gives_logits(self):
        loss = self.model.loss
        if self.from_logits is not None:
            return self.from_logits
        if hasattr(loss, "from_logits"):
            return loss.from_logits
        if isinstance(loss, str) and loss.endswith("crossentropy"):
            return False
        raise ValueError(
            f"The model was compiled with the loss {loss!r}, which does not tell whether its outputs are logits or "
            "probabilities: give KerasRecorder(..., from_logits=True) or False."
        )

"""Lightning: a callback that records."""

from typing import Any

from sklearn_nndyn.recording.integrations._evaluated import EvaluatedSamples
from sklearn_nndyn.recording.integrations._framework import FrameworkCallback


class LightningRecorder(EvaluatedSamples, FrameworkCallback):
    """A Lightning callback that records what happens to every sample, epoch by epoch.

    The samples are evaluated before the first update, and at the end of each epoch, with the module in evaluation
    mode: training goes on as if nothing had been recorded. Where several processes train, the first one records.

    Parameters
    ----------
    X : array of shape (n_samples, ...), dict of such, Dataset or DataLoader
        The samples, of the training or held out. Arrays by name are given to ``forward`` by name. A dataset gives
        (x, y), or a dict with ``"labels"``; it is read in its own order, and must give the same rows each time.
    y : array of shape (n_samples,), optional
        Class positions, 0 to n_classes - 1; left out where ``X`` is a dataset.
    loss : str, ClassificationLoss, torch module or callable, default="log"
        Its value is recorded for each sample, see :func:`~sklearn_nndyn.losses.get_loss`.
    record : collection of str or objects, default=("samples", "geometry")
        What to record, as in `Recorder`.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to record; epoch 0 is the module before its first update.
    call : callable, optional
        ``call(module, x)`` gives the scores of a batch; by default ``module(x)``.

    Raises
    ------
    ModuleNotFoundError
        If Lightning is not installed (the extra ``lightning``).

    Examples
    --------
    The lines that matter. The whole program is ``docs/guide/frameworks/lightning_loop.py``;
    ``make test-integrations`` runs it.

    >>> recorder = LightningRecorder(X_test, y_test)  # doctest: +SKIP
    >>> trainer = lightning.Trainer(max_epochs=20, callbacks=[recorder])  # doctest: +SKIP
    >>> trainer.fit(module, loader)  # doctest: +SKIP
    >>> record = recorder.dynamics()  # doctest: +SKIP
    """

    _base, _extra = ("lightning.pytorch", "Callback"), "lightning"

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin a record.

        Parameters
        ----------
        trainer : lightning.pytorch.Trainer
            Trains the module.
        pl_module : lightning.pytorch.LightningModule
            The module.
        """
        self._recorder = None
        if trainer.is_global_zero:
            self._begin(pl_module, trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record as if training had stopped here.

        Parameters
        ----------
        trainer, pl_module : object
            As in ``on_train_start``.
        """
        if trainer.is_global_zero:
            self._evaluate(pl_module, trainer.current_epoch + 1)

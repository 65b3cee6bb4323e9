"""accelerate: a recorder for a loop that it runs."""

from typing import Any

from sklearn_nndyn.recording.integrations._evaluated import EvaluatedSamples


class AccelerateRecorder(EvaluatedSamples):
    """Record what happens to every sample in a loop that accelerate runs.

    Call `evaluate` before the first update and after each epoch: the samples are evaluated on the device of the model,
    without the wrappers that accelerate put around it and in evaluation mode, and training goes on as if nothing had
    been recorded. Where several processes train, the first one records.

    Parameters
    ----------
    accelerator : accelerate.Accelerator
        The one of the loop.
    X : array of shape (n_samples, ...), dict of such, Dataset or DataLoader
        The samples, of the training or held out. Arrays by name are given to ``forward`` by name. A dataset gives
        (x, y), or a dict with ``"labels"``; it is read in its own order, and must give the same rows each time.
    y : array of shape (n_samples,), optional
        Class positions, 0 to n_classes - 1; left out where ``X`` is a dataset.
    **parameters : dict
        ``loss``, ``record``, ``record_epochs`` and ``call``, as in `LightningRecorder`.

    Examples
    --------
    The lines that matter. The whole program is ``docs/guide/frameworks/accelerate_loop.py``;
    ``make test-integrations`` runs it.

    >>> recorder = AccelerateRecorder(accelerator, X_test, y_test)  # doctest: +SKIP
    >>> for epoch in range(20):  # doctest: +SKIP
    ...     recorder.evaluate(model, epoch)
    ...     # train for an epoch
    >>> recorder.evaluate(model, 20)  # doctest: +SKIP
    >>> record = recorder.dynamics()  # doctest: +SKIP
    """

    def __init__(self, accelerator: Any, X: Any, y: Any = None, **parameters: Any) -> None:
        super().__init__(X, y, **parameters)
        self.accelerator = accelerator

    def evaluate(self, model: Any, epoch: float) -> None:
        """Record the model, where it is the first process that calls.

        Parameters
        ----------
        model : torch.nn.Module
            As accelerate prepared it, or as it was before.
        epoch : int or float
            The epochs trained.
        """
        if not self.accelerator.is_main_process:
            return
        module = self.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        if self._recorder is None:
            self._begin(module, epoch)
        else:
            self._evaluate(module, epoch)

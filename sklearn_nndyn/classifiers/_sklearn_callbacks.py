"""scikit-learn's callback protocol (``sklearn.callback``, from 1.9, experimental): the one place that knows it."""

from sklearn_nndyn.training import TrainingHook

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support before scikit-learn 1.9."""

    def with_callbacks(method):
        """Nothing to tear down before scikit-learn 1.9."""
        return method


class CallbackBridge(TrainingHook):
    """Call scikit-learn's callbacks around every epoch, and stop when one asks for it.

    Parameters
    ----------
    estimator : DynamicsClassifier
        The estimator that is being fitted.
    epochs : int
        Epochs to come.
    data : dict
        ``X``, ``y`` and ``sample_weight`` as the user gave them.
    prepared : PreparedFit
        The fit.
    """

    def __init__(self, estimator, epochs, data, prepared):
        self.estimator, self.prepared = estimator, prepared
        weight = data["sample_weight"]
        metadata = None if weight is None else {"sample_weight": weight}
        self.data = {"X": data["X"], "y": data["y"], "metadata": metadata}
        self.task = None
        self.context = estimator._init_callback_context(max_subtasks=epochs)
        self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def on_epoch_begin(self, net):
        """Open the epoch's task."""
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net):
        """Close it."""
        task, self.task = self.task, None
        self.wants_to_stop = self._end(task, self.prepared.attributes_so_far)

    def close(self):
        """Close what is open, however the fit ended: an epoch that was undone, which has no estimator, and the fit."""
        if self.task is not None:
            self._end(self.task, None)
        self._end(self.context, None if self.prepared.keeps_old else self.prepared.attributes_so_far)

    def _end(self, task, attributes):
        return task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )

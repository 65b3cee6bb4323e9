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
        self.context = estimator._init_callback_context(max_subtasks=epochs)
        self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def on_epoch_begin(self, net):
        """Open the epoch's task."""
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net):
        """Close it."""
        self.wants_to_stop = self.task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=self.prepared.attributes_so_far, **self.data
        )

    def close(self):
        """Close the fit's task, once the estimator is fitted."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=self.prepared.attributes_so_far, **self.data
        )

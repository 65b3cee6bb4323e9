"""What the recorders of loops that are not ours have in common: the given samples, evaluated at epochs."""

from collections.abc import Callable, Sequence
from typing import Any

from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.recording._given import DatasetBatches, placed, samples_and_labels
from sklearn_nndyn.recording._record import check_network, check_record
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.recording._schedule import make_schedule
from sklearn_nndyn.utils.networks.evaluation import keeps_modes


class EvaluatedSamples:
    """Samples that a training is evaluated on as of each epoch; see its subclasses for the parameters."""

    def __init__(
        self,
        X: Any,
        y: Any = None,
        *,
        loss: Any = "log",
        record: Sequence[Any] = ("samples", "geometry"),
        record_epochs: Any = "all",
        call: Callable | None = None,
    ) -> None:
        super().__init__()  # the framework's
        check_record(record)
        self.X, self.y, self.loss, self.record, self.call = X, y, loss, record, call
        self.record_epochs = record_epochs
        self._schedule, self._recorder = make_schedule(record_epochs), None

    def dynamics(self, classes: Any = None) -> Dynamics:
        """What was recorded so far of the last training.

        Parameters
        ----------
        classes : array of shape (n_classes,), optional
            Names of the classes, sorted, in the order of the network's outputs; by default their positions.

        Returns
        -------
        record : Dynamics
            The record of the samples, row for row.

        Raises
        ------
        ValueError
            If nothing was recorded. Where several processes train, the first one records.
        """
        if self._recorder is None:
            raise ValueError(
                "Nothing has been recorded: give this recorder to a training, and ask the first of its processes."
            )
        y = None if classes is None else [classes[position] for position in self._recorder.y.tolist()]
        header = {"recorded_by": type(self).__name__}
        return self._recorder.dynamics(y=y, classes=classes, header=header)

    @keeps_modes
    def _begin(self, module, epoch=0, collate_fn=None):
        """Begin a record, with the network as it is before its first update."""
        X, y = placed(*samples_and_labels(self.X, self.y, collate_fn), module)
        if not isinstance(X, DatasetBatches):
            check_network(self.record, module, X, self._call_of(module))
        self._recorder = Recorder(X, y, self.loss, record=self.record)
        self._evaluate(module, epoch)

    def _evaluate(self, module, epoch):
        if self._schedule(epoch):
            self._recorder.record(module, epoch, call=self._call_of(module))

    def _call_of(self, module):
        return None if self.call is None else lambda x: self.call(module, x)

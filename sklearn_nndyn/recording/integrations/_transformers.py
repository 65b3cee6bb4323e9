"""transformers: a callback of its Trainer that records."""

from typing import Any

from sklearn_nndyn.recording.integrations._evaluated import EvaluatedSamples
from sklearn_nndyn.recording.integrations._framework import FrameworkCallback


class TransformersRecorder(EvaluatedSamples, FrameworkCallback):
    """A callback of transformers' ``Trainer`` that records what happens to every sample, epoch by epoch.

    The samples are evaluated before the first update, and at the end of each epoch, with the model in evaluation
    mode: training goes on as if nothing had been recorded. Where several processes train, the first one records.

    Parameters
    ----------
    X : Dataset, or array of shape (n_samples, ...), or dict of such
        The samples, of the training or held out: a dataset of dicts with ``"labels"``, as the trainer takes it, which
        goes through the trainer's ``data_collator``; or arrays.
    y : array of shape (n_samples,), optional
        Class positions, 0 to n_classes - 1; left out where ``X`` is a dataset.
    loss : str, ClassificationLoss, torch module or callable, default="log"
        Its value is recorded for each sample, see :func:`~sklearn_nndyn.losses.get_loss`.
    record : collection of str or objects, default=("samples", "geometry")
        What to record, as in `Recorder`.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to record; epoch 0 is the model before its first update.
    call : callable, optional
        ``call(model, x)`` gives the scores of a batch; by default they are the ``logits`` of ``model(**x)``.

    Raises
    ------
    ModuleNotFoundError
        If transformers is not installed (the extra ``transformers``).

    Examples
    --------
    The lines that matter. The whole program is ``docs/guide/frameworks/transformers_loop.py``;
    ``make test-integrations`` runs it.

    >>> recorder = TransformersRecorder(test_set)  # doctest: +SKIP
    >>> trainer = transformers.Trainer(  # doctest: +SKIP
    ...     model, arguments, train_dataset=train_set, callbacks=[recorder]
    ... )
    >>> trainer.train()  # doctest: +SKIP
    >>> record = recorder.dynamics()  # doctest: +SKIP
    """

    _base, _extra = ("transformers", "TrainerCallback"), "transformers"

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin a record.

        Parameters
        ----------
        args : transformers.TrainingArguments
            Not used.
        state : transformers.TrainerState
            Holds the epoch, and whether this is the first process.
        control : transformers.TrainerControl
            Not used.
        **kwargs : dict
            Holds the model and the loader of the training samples.
        """
        self._recorder = None
        if state.is_world_process_zero:
            self._begin(kwargs["model"], _epoch(state), kwargs["train_dataloader"].collate_fn)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record as if training had stopped here.

        Parameters
        ----------
        args, state, control : object
            As in ``on_train_begin``.
        **kwargs : dict
            Holds the model.
        """
        if state.is_world_process_zero:
            self._evaluate(kwargs["model"], _epoch(state))


def _epoch(state):
    """The epochs trained, a whole number where the last one is whole."""
    epoch = round(state.epoch or 0, 9)
    return int(epoch) if epoch == int(epoch) else epoch

"""What early stopping watches: a column of the history, a scorer of scikit-learn, or a reconstruction."""

import copy
import difflib
from functools import partial

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names

from sklearn_nndyn.classifiers._results import fingerprint, predicting_attributes
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.recording import check_record, step_of, what_to_record
from sklearn_nndyn.training import EarlyStopping, ReconstructionStopping
from sklearn_nndyn.utils.losses.refinement import refined_loss
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.validation import reraise_as

OF_TRAINING = ("auto", "train_loss", "reconstruction")
COLUMNS = ("valid_acc", "valid_loss", "train_loss")
REFINED = "refined_loss"
KNOWN = ("auto", *COLUMNS, REFINED, "reconstruction")


def check_monitor(estimator):
    """Whether ``monitor`` is something to watch, and is watched.

    Raises
    ------
    ValueError
    """
    monitor = estimator.monitor
    if not _is_known(monitor) and not callable(monitor):
        raise ValueError(_unknown(monitor))
    if monitor is not None and not _is(monitor, "auto") and estimator.early_stopping is False:
        raise ValueError(f"monitor={monitor!r} is what early stopping watches: set early_stopping=True.")
    if _is(monitor, "reconstruction"):
        _check_reconstruction(estimator)
    if _is(monitor, REFINED):
        _check_link(estimator.loss)


def stopper_and_score(estimator, net, inputs, state):
    """What makes the hook that stops a fit early, and the score that it watches, or None where it is no score."""
    has_validation = "validation" in inputs.watched
    _check_is_there(estimator.monitor, has_validation)
    rows = fingerprint(inputs.watched["validation" if has_validation else "train"].X)
    make_stopper = _stopper_of(estimator, rows, has_validation, state.stopper)
    return make_stopper, _make_score(estimator, predicting_attributes(inputs, net, state), inputs)


def _check_is_there(monitor, has_validation):
    """Whether there are the validation samples that ``monitor`` watches.

    Raises
    ------
    ValueError
    """
    of_training = isinstance(monitor, str) and monitor in OF_TRAINING
    if not of_training and not has_validation:
        raise ValueError(
            f"monitor={monitor!r} watches validation samples, but there are none: give X_val and y_val to fit, set "
            'validation_fraction, or watch the training: monitor="train_loss".'
        )


def _stopper_of(estimator, rows, has_validation, earlier):
    """A function of the recording that makes the hook that stops early.

    ``rows`` identify those behind the monitored value; where both are those of the ``earlier`` stopper, the count of
    epochs goes on.
    """
    if _is(estimator.monitor, "reconstruction"):
        return partial(ReconstructionStopping, patience=estimator.n_iter_no_change)
    column = _column(estimator.monitor, has_validation)
    watched = str(estimator.monitor), rows
    earlier = earlier if earlier is not None and earlier.watched == watched else None
    return lambda recording: EarlyStopping(
        column, estimator.n_iter_no_change, estimator.tol, watched=watched, earlier=earlier
    )


def _column(monitor, has_validation):
    if _is(monitor, "auto"):
        return "valid_acc" if has_validation else "train_loss"
    return monitor if isinstance(monitor, str) and monitor in COLUMNS else "valid_score"


class ValidationScore:
    """The score of a network, as it is now, on the validation samples.

    Parameters
    ----------
    estimator : DynamicsClassifier
        With ``monitor`` a scorer, the name of one, or ``"refined_loss"``.
    attributes : dict
        Attributes with which a copy of the estimator predicts by the network in training.
    data : TrainingData
    labels : ndarray
    """

    def __init__(self, estimator, attributes, data, labels):
        self.scorer = score_refinement if _is(estimator.monitor, REFINED) else get_scorer(estimator.monitor)
        self.data, self.labels, self.X = data, labels, _as_arrays(data.X[:])
        self.weight = {} if data.weight is None else {"sample_weight": data.weight.cpu().numpy()}
        self.view = copy.copy(estimator)
        self.view._keep({name: value for name, value in attributes.items() if name != "feature_names_in_"})
        with reraise_as(f"monitor={estimator.monitor!r} cannot score the validation samples"):
            self()

    def __call__(self):
        """The score, greater for a better network."""
        with untouched_generators(self.data.X.device):
            score = self.scorer(self.view, self.X, self.labels, **self.weight)
        if not np.isscalar(score) or not np.isreal(score):
            raise TypeError(f"the scorer gives {score!r} in place of a number")
        return float(score)


def _as_arrays(batch):
    """A tensor as an array, tensors by name as arrays by name."""
    if isinstance(batch, dict):
        return {name: _as_arrays(values) for name, values in batch.items()}
    return batch.cpu().numpy()


def _make_score(estimator, attributes, inputs):
    """The `ValidationScore` that early stopping watches, or None where it watches something else."""
    of_history = (
        isinstance(estimator.monitor, str) and estimator.monitor in KNOWN and estimator.monitor != REFINED
    )
    if of_history:
        return None
    return ValidationScore(estimator, attributes, inputs.watched["validation"], inputs.labels["validation"])


def score_refinement(estimator, X, y, sample_weight=None):
    """The refined loss as a score, greater for a better network."""
    scores = estimator.decision_function(X)
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], axis=1)
    return -refined_loss(scores, np.searchsorted(estimator.classes_, y), sample_weight)


def _check_link(loss):
    try:
        link = get_loss(loss).link
    except (TypeError, ValueError):
        return  # said of the loss itself
    if link != "softmax":
        raise ValueError(
            f'monitor="refined_loss" divides scores whose softmax are probabilities by a temperature, but with '
            f"loss={loss!r} "
            f'probabilities are {"sigmoids" if link == "sigmoid" else "none that are known"}: watch "valid_loss", or '
            'train with a loss whose link is the softmax, such as loss="log".'
        )


def _check_reconstruction(estimator):
    check_record(estimator.record)
    if "reconstruction" not in what_to_record(estimator.record):
        raise ValueError(
            'monitor="reconstruction" needs the reconstruction to be recorded: set record=("samples", '
            '"reconstruction").'
        )
    if not estimator.snapshots or step_of(estimator.snapshots) > 1:
        raise ValueError('monitor="reconstruction" needs the weights of each record: set snapshots=True.')


def _is(monitor, name):
    return isinstance(monitor, str) and monitor == name


def _is_known(monitor):
    return isinstance(monitor, str) and monitor in (*KNOWN, *get_scorer_names())


def _unknown(monitor):
    near = (
        difflib.get_close_matches(monitor, [*KNOWN, *get_scorer_names()], n=1)
        if isinstance(monitor, str)
        else []
    )
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return (
        f"monitor must be {', '.join(map(repr, KNOWN))}, the name of a scorer of scikit-learn, or a scorer (a callable "
        f"of estimator, X, y), got {monitor!r}.{hint}"
    )

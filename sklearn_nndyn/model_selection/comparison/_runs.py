"""The runs of a comparison: noise, tuning, training, and what is kept of each.

A little longer than 300 lines: one way from the settings to the table of runs, in short functions.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from torch.utils.data import Dataset

from sklearn_nndyn.analyzers import EntanglementAnalyzer, LossTailAnalyzer
from sklearn_nndyn.classifiers import DynamicsClassifier, prepare, train_in_groups
from sklearn_nndyn.datasets import corrupt_inputs, corrupt_labels
from sklearn_nndyn.model_selection.comparison._statistics import hold
from sklearn_nndyn.utils.signals import Terminated

RECORD = ("samples", "geometry")
RECORDS_AT_ONCE = 2**30  # bytes
BYTES_OF_A_RECORD = 9  # at one sample
OUTCOMES = (
    "learning_speed",
    "final_accuracy",
    "best_accuracy",
    "train_accuracy",
    "tail_share",
    "inversion_error",
)


@dataclass(frozen=True)
class RunSettings:
    """Settings common to all runs.

    Parameters
    ----------
    estimator : DynamicsClassifier
    X, y, X_test, y_test : array
    n_jobs : int or None
        Workers of joblib.
    """

    estimator: DynamicsClassifier
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    n_jobs: int | None = None

    @classmethod
    def checked(cls, estimator, plan, X, y, X_test, y_test, n_jobs):
        """With data as arrays, all of them tried: what ``fit`` would refuse in any run is refused here.

        Raises
        ------
        TypeError, ValueError
            See `compare_losses`.
        """
        if X_test is None or y_test is None:
            raise ValueError("X_test and y_test are needed: the samples to test on.")
        for name, given in (("X", X), ("X_test", X_test)):
            _check_is_array(name, given)
        _try_losses(cls(estimator, X, y, X_test, y_test), plan)
        tested = np.asarray(X_test), column_or_1d(y_test)
        settings = cls(estimator, np.asarray(X), column_or_1d(y), *tested, n_jobs)
        if max(plan.input_noise):
            corrupt_inputs(settings.X[:1], max(plan.input_noise), random_state=0)
        for level in plan.label_noise:
            for seed in plan.seeds:
                settings.check_classes(level, seed)
            for seed in plan.tuning_seeds:
                settings.split(plan, level, seed)
        return settings

    def labels(self, level, seed):
        """Training labels with noise, the same for every loss."""
        return corrupt_labels(self.y, level, random_state=seed)[0] if level else self.y

    def samples(self, level, seed):
        """Training samples with noise, the same for every loss."""
        return corrupt_inputs(self.X, level, random_state=seed) if level else self.X

    def check_classes(self, level, seed):
        """Label noise may leave a small class without a sample."""
        lost = np.setdiff1d(self.y, self.labels(level, seed))
        if len(lost):
            raise ValueError(
                f"label_noise={level:g} leaves no sample of class {', '.join(map(str, lost))} with seed {seed}."
            )

    def split(self, plan, level, seed):
        """Positions kept and held out by the tuning, by class where every class has enough samples."""
        n = len(self.y)
        y = self.labels(level, seed)
        _, counts = np.unique(y, return_counts=True)
        n_held = max(1, round(plan.held_out * n))
        kept = np.arange(0)
        if n_held < n:
            by_class = counts.min() >= 2 and min(n_held, n - n_held) >= len(counts)
            # A seed of its own: drawn with the seed of the noise, those held out might be those with wrong labels.
            own = check_random_state(seed).randint(np.iinfo(np.int32).max)
            kept, held = train_test_split(
                np.arange(n), test_size=n_held, stratify=y if by_class else None, random_state=own
            )
        if len(np.unique(y[kept])) < 2:
            raise ValueError(
                f"held_out={plan.held_out:g} leaves less than two classes of {n} samples to tune learning rates on."
            )
        return kept, held

    def classifier(self, loss, lr, seed, record=RECORD):
        """A clone for one run."""
        return clone(self.estimator).set_params(
            loss=loss,
            lr=lr,
            random_state=seed,
            record=record,
            record_epochs="all",
            snapshots=False,
            validation_fraction=None,
            early_stopping=False,
            monitor="auto",
        )


def _check_is_array(name, X):
    """Refuse what cannot be taken as one dense array, of which rows are held out and to which noise is added."""
    if not (hasattr(X, "tocsr") or isinstance(X, (Mapping, Dataset))):
        return
    hint = f": give {name}.toarray()" if hasattr(X, "tocsr") else ""
    raise TypeError(f"compare_losses takes {name} as one dense array, got a {type(X).__name__}{hint}.")


def _try_losses(settings, plan):
    """Everything that ``fit`` checks before it trains, with each loss."""
    mistakes, shared = {}, {}
    for name, loss in plan.losses.items():
        classifier = settings.classifier(loss, settings.estimator.lr, plan.seeds[0])
        try:
            prepare(
                classifier,
                settings.X,
                settings.y,
                X_val=settings.X_test,
                y_val=settings.y_test,
                shared=shared,
            )
        except (ValueError, TypeError) as error:
            mistakes[name] = error
    if mistakes:
        _tell(mistakes, len(plan.losses))


def _tell(mistakes, n_losses):
    texts = {
        name: str(error).replace("X_val", "X_test").replace("y_val", "y_test")
        for name, error in mistakes.items()
    }
    first = next(iter(mistakes.values()))
    if len(mistakes) == n_losses and len(set(texts.values())) == 1:  # it is not the loss
        raise type(first)(next(iter(texts.values()))) from first
    raise ValueError("\n".join(f"loss {name}: {text}" for name, text in texts.items())) from first


def tune(settings, plan, noise, progress=None):
    """{loss: the rate that does best on held-out training samples}, noise included, in the mean over the tuning seeds.

    Each of these seeds has a split of its own. Of rates that do as well it is the one nearest to the estimator's own.
    A rate with which training diverges comes after all others, and one with which it fails last.
    """
    jobs = [(name, lr) for name in plan.losses for lr in plan.tried]
    merits = {job: [] for job in jobs}
    for seed in plan.tuning_seeds:
        X, y = settings.samples(noise[1], seed), settings.labels(noise[0], seed)
        kept, held = ((X[rows], y[rows]) for rows in settings.split(plan, noise[0], seed))
        classifiers = [settings.classifier(plan.losses[name], lr, seed, record=()) for name, lr in jobs]
        errors, interrupted = _train(classifiers, [kept] * len(jobs), settings.n_jobs, progress)
        if interrupted:
            raise KeyboardInterrupt
        for job, classifier, error in zip(jobs, classifiers, errors, strict=True):
            merits[job].append(_merit(classifier, error, held, plan))
    nearest_first = sorted(plan.tried, key=lambda lr: abs(np.log(lr / settings.estimator.lr)))
    return {name: max(nearest_first, key=lambda lr: _merit_of_all(merits[name, lr])) for name in plan.losses}


def _merit(classifier, error, held, plan):
    """How far training came, and the accuracy on the samples held out."""
    if error is not None:
        return -1, 0.0
    return int(classifier.n_iter_ == plan.n_epochs), classifier.score(*held)


def _merit_of_all(merits):
    whole, accuracies = zip(*merits, strict=True)
    return min(whole), sum(accuracies)


def train_all(settings, plan, noise, rates, progress=None):
    """The runs of one noise level, all losses and seeds: a dict each, as soon as it is there.

    Raises
    ------
    KeyboardInterrupt
        After what was trained until then.
    """
    for jobs in _parts(settings, plan, noise):
        X = settings.samples(noise[1], jobs[0][0])
        labels = {seed: settings.labels(noise[0], seed) for seed in {seed for seed, _ in jobs}}
        runs = [settings.classifier(plan.losses[name], rates[name], seed) for seed, name in jobs]
        tested = {"X_val": settings.X_test, "y_val": settings.y_test}
        data = [(X, labels[seed]) for seed, _ in jobs]
        errors, interrupted = _train(runs, data, settings.n_jobs, progress, **tested)
        for (seed, name), run, error in zip(jobs, runs, errors, strict=True):
            yield empty_run((name, *noise, seed), plan, rates[name]) | _kept(run, error, interrupted, plan)
        if interrupted:
            raise KeyboardInterrupt


def _parts(settings, plan, noise):
    """(seed, loss) of the runs that are trained at once: the same samples, and not too long a record."""
    jobs = [(seed, name) for seed in plan.seeds for name in plan.losses]
    record = BYTES_OF_A_RECORD * (len(settings.X) + len(settings.X_test))
    most = max(1, RECORDS_AT_ONCE // (record * (plan.n_epochs + 1)))
    if noise[1]:
        jobs_of_parts = [[job for job in jobs if job[0] == seed] for seed in plan.seeds]
    else:
        jobs_of_parts = [jobs]
    for own in jobs_of_parts:
        yield from (own[start : start + most] for start in range(0, len(own), most))


def _train(classifiers, data, n_jobs, progress, **validation):
    """Errors of each, or None; and whether the keyboard interrupted. Divergence is warned of later, by loss."""
    shared, errors, fits = {}, [None] * len(classifiers), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Training .* networks together failed", RuntimeWarning)
        warnings.filterwarnings("ignore", "Training was interrupted in epoch", UserWarning)
        for i, (classifier, (X, y)) in enumerate(zip(classifiers, data, strict=True)):
            try:
                fits[i] = prepare(classifier, X, y, shared=shared, **validation)
            except (ValueError, TypeError) as error:
                errors[i] = error
        try:
            found = train_in_groups(list(fits.values()), n_jobs=n_jobs, progress=progress)
        except Terminated:
            raise
        except KeyboardInterrupt:
            return errors, True
    for i, ended_by in zip(fits, found, strict=True):
        errors[i] = ended_by
    return errors, False


def empty_run(place, plan, lr=np.nan):
    """The row of a run that was not begun."""
    loss, label_noise, input_noise, seed = place
    return {
        "loss": loss,
        "label_noise": label_noise,
        "input_noise": input_noise,
        "seed": seed,
        "lr": lr,
        **dict.fromkeys(OUTCOMES, np.nan),
        "ended": "interrupted",
        "curves": np.full((2, plan.n_epochs + 1), np.nan),
    }


def _kept(run, error, interrupted, plan):
    """What is kept of a classifier whose training has ended, in whatever way."""
    curves = np.full((2, plan.n_epochs + 1), np.nan)
    records = getattr(run, "dynamics_", None), getattr(run, "validation_dynamics_", None)
    for curve, record in zip(curves, records, strict=True):
        if record is not None:
            curve[: record.n_epochs] = record.accuracy
    kept = {"ended": _why_it_ended(run, error, interrupted, plan), "curves": curves}
    if kept["ended"] in ("", "diverged"):
        kept |= outcomes(*records, *curves, plan.first)
    return kept


def _why_it_ended(run, error, interrupted, plan):
    """Nothing where all epochs were trained."""
    if error is not None:
        return " ".join(f"{type(error).__name__}: {error}".split())
    if getattr(run, "n_iter_", 0) == plan.n_epochs:
        return ""
    return "interrupted" if interrupted else "diverged"


def outcomes(train_record, test_record, train_accuracy, test_accuracy, first):
    """The figures of a run. After it diverged it has the accuracy that it had before."""
    test_accuracy = hold(test_accuracy)
    return {
        "learning_speed": float(test_accuracy[first:].mean()),
        "final_accuracy": float(test_accuracy[-1]),
        "best_accuracy": float(test_accuracy.max()),
        "train_accuracy": float(hold(train_accuracy)[-1]),
        "tail_share": _or_nan(lambda: LossTailAnalyzer().fit(test_record).tail_share_),
        "inversion_error": _or_nan(lambda: EntanglementAnalyzer().fit(train_record).inversion_error_),
    }


def _or_nan(value):
    """nan where an analyzer refuses a record: of one epoch, without hidden layers, with losses that are not finite."""
    try:
        with np.errstate(all="ignore"):
            return float(value())
    except ValueError:
        return np.nan


def columns_of(runs):
    """The columns of the table of runs; accuracies (R, E) of training and of test samples."""
    curves = np.array([run.pop("curves") for run in runs])
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}, curves[:, 0], curves[:, 1]

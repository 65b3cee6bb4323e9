"""Fit and score one unit of the work: all its fits trained together."""

import time
import traceback
from contextlib import suppress
from dataclasses import dataclass

from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._validation import _score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_method_params

from sklearn_nndyn.classifiers import DynamicsClassifier, check_parameters, prepare, train
from sklearn_nndyn.model_selection.search._fold import Fold

DATA_LIMIT = 2**30  # bytes of training data of one program, where no limit is given


@dataclass(frozen=True)
class SearchSpec:
    """What all units have in common, but for the data."""

    estimator: object
    scorer: object
    fit_params: dict
    score_params: dict
    error_score: object
    return_train_score: bool
    return_dynamics: bool
    memory_limit: int | None

    @property
    def needs_predictions_only(self):
        """Whether scoring asks for predictions only, neither for the record nor for the weights of an epoch."""
        several = isinstance(self.scorer, _MultimetricScorer)
        scorers = self.scorer._scorers.values() if several else [self.scorer]
        return type(self.estimator) in (DynamicsClassifier, Pipeline) and all(
            isinstance(scorer, (_BaseScorer, _PassthroughScorer)) for scorer in scorers
        )

    @property
    def scores_the_classifier(self):
        """Whether the classifier on transformed rows stands for the whole estimator."""
        return not isinstance(self.estimator, Pipeline) or (
            self.needs_predictions_only and not self.score_params
        )

    def failed(self, error):
        """The scores of a fit that failed, or the error itself."""
        if self.error_score == "raise":
            raise error
        if isinstance(self.scorer, _MultimetricScorer):
            return dict.fromkeys(self.scorer._scorers, self.error_score)
        return self.error_score


def evaluate(groups, X, y, work, progress=None):
    """Fit and score.

    Groups are trained together as long as their training data hold no more than ``memory_limit`` (1 GiB where it is
    None); one by one where the weights of all epochs are kept, for scorers that may look at them.

    Parameters
    ----------
    groups : list of Group
        One unit.
    X, y : array-like
        All rows.
    work : SearchSpec
        What is to be done.
    progress : callable, default=None
        Called with a number of epochs done.

    Returns
    -------
    results : dict of dict
        For each place, what scikit-learn's searches keep of a fit, and ``"dynamics"``.
    """
    limit = DATA_LIMIT if work.memory_limit is None else work.memory_limit
    results, folds = {}, []
    for group in groups:
        fold = Fold.open(group, X, y, work)
        too_much = sum(other.nbytes for other in [*folds, fold]) > limit
        if folds and (too_much or any(_keeps_weights(trial.classifier, work) for trial in fold.trials)):
            results |= _fit_and_score(folds, work, progress)
            folds = []
        folds.append(fold)
    return results | _fit_and_score(folds, work, progress)


def _keeps_weights(classifier, work):
    return classifier.snapshots and not _is_unseen(classifier, work)


def _is_unseen(classifier, work):
    """Whether nobody can see what the classifier keeps of its training; a subclass may look at it itself."""
    return work.needs_predictions_only and type(classifier) is DynamicsClassifier


def _fit_and_score(folds, work, progress):
    trials = [trial for fold in folds for trial in fold.trials]
    start = time.perf_counter()
    _prepare(trials, work)
    _train(trials, work, progress)
    seconds = (time.perf_counter() - start) / len(trials)
    results = {}
    for fold in folds:
        results |= {trial.member.place: _result(trial, seconds, work) for trial in fold.trials}
        fold.transformed.clear()
    return results


def _prepare(trials, work):
    shared = {}
    for trial in trials:
        if trial.error is None:
            try:
                check_parameters(trial.classifier)
                _keep_what_is_seen(trial.classifier, work)
                trial.fit = prepare(trial.classifier, **trial.fold.given, shared=shared, checked=True)
            except Exception as error:
                trial.error = error
        if trial.error is not None:
            work.failed(trial.error)


def _keep_what_is_seen(classifier, work):
    """Nobody waits for a bar of a fit among many; the record of an estimator that is thrown away need not be made."""
    classifier.verbose = 0
    if _is_unseen(classifier, work):
        classifier.snapshots = False
        if not work.return_dynamics:
            classifier.record = ()


def _train(trials, work, progress):
    ready = [trial for trial in trials if trial.error is None]
    left = sum(trial.member.epochs for trial in trials)

    def count(epochs):
        nonlocal left
        left -= epochs
        progress(epochs)

    heard = None if progress is None else count
    fits = [trial.fit for trial in ready]
    errors = train(fits, memory_limit=work.memory_limit, progress=heard) if fits else []
    for trial, error in zip(ready, errors, strict=True):
        trial.fit, trial.error = None, error
    if progress is not None:
        progress(left)  # epochs that were not needed, or not reached


def _result(trial, seconds, work):
    seconds += trial.fold.seconds / len(trial.fold.trials)
    if trial.error is not None:
        return _failure(trial.error, seconds, work)
    start = time.perf_counter()
    result = {"fit_error": None, "test_scores": _scores(trial, "test", work), "fit_time": seconds}
    result["score_time"] = time.perf_counter() - start
    if work.return_train_score:
        result["train_scores"] = _scores(trial, "train", work)
    result["dynamics"] = getattr(trial.classifier, "dynamics_", None) if work.return_dynamics else None
    trial.classifier = None
    return result


def _failure(error, seconds, work):
    scores = work.failed(error)
    result = {"fit_error": "".join(traceback.format_exception(error)), "test_scores": scores}
    if work.return_train_score:
        result["train_scores"] = dict(scores) if isinstance(scores, dict) else scores
    return {**result, "fit_time": seconds, "score_time": 0.0, "dynamics": None}


def _scores(trial, part, work):
    estimator, (X, y) = _what_to_score(trial, part, work)
    rows = getattr(trial.fold.group, part)
    params = _check_method_params(trial.fold.X, work.score_params, rows)
    return _score(estimator, X, y, work.scorer, params, work.error_score)


def _what_to_score(trial, part, work):
    if work.scores_the_classifier:
        # Where rows cannot be transformed, scoring the whole meets that again, and says so as scikit-learn does.
        with suppress(Exception):
            return trial.classifier, trial.fold.transformed_rows(part)
    return trial.fold.whole(trial.classifier), trial.fold.rows(part)

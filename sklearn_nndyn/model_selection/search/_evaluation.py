"""Fit and score one unit of a search: all its fits trained together."""

import time
import traceback
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_nndyn.classifiers import (
    Checkpoint,
    DynamicsClassifier,
    all_finished,
    check_parameters,
    prepare,
    train,
)
from sklearn_nndyn.classifiers.checkpoint import SavedResults, identity_of
from sklearn_nndyn.model_selection.search._fold import Fold
from sklearn_nndyn.utils.digests import digest_of
from sklearn_nndyn.utils.private_names import (
    _BaseScorer,
    _check_method_params,
    _MultimetricScorer,
    _PassthroughScorer,
    _score,
)
from sklearn_nndyn.utils.signals import raised_by_handler

DATA_LIMIT = 2**30  # bytes of training data of one program, where no limit is given


@dataclass(frozen=True)
class SearchSpec:
    """Settings common to all units, without the data."""

    estimator: object
    scorer: object
    fit_params: dict
    score_params: dict
    error_score: object
    return_train_score: bool
    return_dynamics: bool
    memory_limit: int | None
    checkpoint: Checkpoint | None = None

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
        if self.error_score == "raise" or raised_by_handler(error):
            raise error
        if isinstance(self.scorer, _MultimetricScorer):
            return dict.fromkeys(self.scorer._scorers, self.error_score)
        return self.error_score


class FinishedFits:
    """Results of fits that an earlier search has finished, by what was fitted and how it was scored.

    Parameters
    ----------
    spec : SearchSpec
    """

    def __init__(self, spec):
        self.spec, self.results = spec, SavedResults(spec.checkpoint)
        self._shared = {}

    def look_up(self, fit):
        """Give a prepared fit its name, and its result where there is one."""
        of_fit, fit.description = identity_of(fit.prepared, self._shared)
        spec = self.spec
        scored = {
            "rows": [_plain(part) for part in fit.fold.rows("test")],
            "scorer": spec.scorer,
            "params": {name: _plain(value) for name, value in spec.score_params.items()},
            "kept": [spec.return_train_score, spec.return_dynamics, fit.fold.preprocessing],
        }
        fit.name = digest_of([of_fit, scored], "the search")
        fit.result = self.results.load(fit.name)

    def save(self, fit, result):
        """Keep the result of a fit that did not fail."""
        if result["fit_error"] is None:
            self.results.save(fit.name, fit.description, result)


def _plain(values):
    """Columns and values of a table; anything else as it is."""
    if hasattr(values, "to_numpy"):
        return [list(getattr(values, "columns", ())), np.asarray(values.to_numpy())]
    return values


def evaluate(groups, X, y, spec, progress=None):
    """Fit and score the groups of a unit: for each row what scikit-learn's searches keep of a fit, and ``"dynamics"``.

    Groups are trained together as long as their training data hold no more than ``memory_limit`` (1 GiB where it is
    None); one by one where the weights of all epochs are kept, for scorers that may read them.
    """
    limit = DATA_LIMIT if spec.memory_limit is None else spec.memory_limit
    results, folds = {}, []
    for group in groups:
        fold = Fold.open(group, X, y, spec)
        too_much = sum(other.nbytes for other in [*folds, fold]) > limit
        if folds and (too_much or any(_keeps_weights(fit, spec) for fit in fold.fits)):
            results |= _fit_and_score(folds, spec, progress)
            folds = []
        folds.append(fold)
    return results | _fit_and_score(folds, spec, progress)


def _keeps_weights(fit, spec):
    return fit.error is None and fit.classifier.snapshots and not _is_unseen(fit.classifier, spec)


def _is_unseen(classifier, spec):
    """Whether nobody can see what the classifier keeps of its training; a subclass may read it itself."""
    return spec.needs_predictions_only and type(classifier) is DynamicsClassifier


def _fit_and_score(folds, spec, progress):
    fits = [fit for fold in folds for fit in fold.fits]
    start = time.perf_counter()
    finished = None if spec.checkpoint is None else FinishedFits(spec)
    _prepare(fits, spec, finished)
    _train(fits, spec, progress)
    seconds = (time.perf_counter() - start) / len(fits)
    results = {}
    for fold in folds:
        for fit in fold.fits:
            results[fit.spec.row] = fit.result or _result(fit, seconds, spec)
            if finished is not None and fit.name is not None and fit.result is None:
                finished.save(fit, results[fit.spec.row])
        fold.transformed.clear()
    return results


def _prepare(fits, spec, finished):
    shared, checked = {}, set()
    for fit in fits:
        if fit.error is None:
            try:
                if spec.checkpoint is not None and fit.classifier.checkpoint is None:
                    fit.classifier.checkpoint = spec.checkpoint
                if id(fit.spec.params) not in checked:  # a candidate has the same parameters in all folds
                    check_parameters(fit.classifier)
                    checked.add(id(fit.spec.params))
                _keep_what_is_seen(fit.classifier, spec)
                fit.prepared = prepare(fit.classifier, **fit.fold.given, shared=shared, checked=True)
                if finished is not None:
                    finished.look_up(fit)
            except Exception as error:
                fit.error = error
        if fit.error is not None:
            spec.failed(fit.error)


def _keep_what_is_seen(classifier, spec):
    """Nobody waits for a bar of a fit among many; the record of an estimator that is thrown away need not be made."""
    classifier.verbose = 0
    if _is_unseen(classifier, spec):
        classifier.snapshots = False
        if not spec.return_dynamics:
            classifier.record = ()


def _train(fits, spec, progress):
    ready = _to_train(fits, spec)
    left = sum(fit.spec.epochs for fit in fits)

    def count(epochs):
        nonlocal left
        left -= epochs
        progress(epochs)

    report_epochs = None if progress is None else count
    prepared = [fit.prepared for fit in ready]
    errors = train(prepared, memory_limit=spec.memory_limit, progress=report_epochs) if prepared else []
    for fit, error in zip(ready, errors, strict=True):
        fit.prepared, fit.error = None, error
    if progress is not None:
        progress(left)  # epochs that were not needed, or not reached


def _to_train(fits, spec):
    """Those without a result; or all, where these were trained before, together, and only their scores are missing."""
    possible = [fit for fit in fits if fit.error is None]
    ready = [fit for fit in possible if fit.result is None]
    if 0 < len(ready) < len(possible) and all_finished([fit.prepared for fit in possible], spec.memory_limit):
        return possible
    return ready


def _result(fit, seconds, spec):
    seconds += fit.fold.seconds / len(fit.fold.fits)
    if fit.error is not None:
        return _failure(fit.error, seconds, spec)
    start = time.perf_counter()
    result = {"fit_error": None, "test_scores": _scores(fit, "test", spec), "fit_time": seconds}
    result["score_time"] = time.perf_counter() - start
    if spec.return_train_score:
        result["train_scores"] = _scores(fit, "train", spec)
    result["dynamics"] = getattr(fit.classifier, "dynamics_", None) if spec.return_dynamics else None
    fit.classifier = None
    return result


def _failure(error, seconds, spec):
    scores = spec.failed(error)
    result = {"fit_error": "".join(traceback.format_exception(error)), "test_scores": scores}
    if spec.return_train_score:
        result["train_scores"] = dict(scores) if isinstance(scores, dict) else scores
    return {**result, "fit_time": seconds, "score_time": 0.0, "dynamics": None}


def _scores(fit, part, spec):
    estimator, (X, y) = _what_to_score(fit, part, spec)
    rows = getattr(fit.fold.group, part)
    params = _check_method_params(fit.fold.X, spec.score_params, rows)
    return _score(estimator, X, y, spec.scorer, params, spec.error_score)


def _what_to_score(fit, part, spec):
    if spec.scores_the_classifier:
        # Where rows cannot be transformed, scoring the whole meets that again, and says so as scikit-learn does.
        with suppress(Exception):
            return fit.classifier, fit.fold.transformed_rows(part)
    return fit.fold.with_classifier(fit.classifier), fit.fold.rows(part)

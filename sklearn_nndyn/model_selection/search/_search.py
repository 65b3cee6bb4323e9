"""BatchedGridSearchCV, the grid search that trains all its candidates together.

Longer than 300 lines: half of them document the class, where its parameters are stored.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed
from tqdm import tqdm

from sklearn_nndyn.classifiers import Checkpoint
from sklearn_nndyn.classifiers.checkpoint import as_checkpoint
from sklearn_nndyn.model_selection.search._callback_tasks import CallbackTasks
from sklearn_nndyn.model_selection.search._evaluation import SearchSpec, evaluate
from sklearn_nndyn.model_selection.search._passthrough import (
    check_is_ours,
    configured,
    is_placeholder,
    last_step,
)
from sklearn_nndyn.model_selection.search._units import cut, make_groups
from sklearn_nndyn.utils.networks.evaluation import keeps_modes
from sklearn_nndyn.utils.private_names import (
    BaseSearchCV,
    Interval,
    _check_method_params,
    _fit_context,
    _insert_error_scores,
    _MultimetricScorer,
    _warn_or_raise_about_fit_failures,
)
from sklearn_nndyn.utils.rows.datasets import open_labelled
from sklearn_nndyn.utils.rows.named import sliceable


class BatchedGridSearchCV(BaseSearchCV):
    """GridSearchCV whose candidates and folds are trained together, as one program.

    The parameters, the results and the ways of scikit-learn's ``GridSearchCV``, for a
    :class:`~sklearn_nndyn.DynamicsClassifier` or a Pipeline that ends in one. Small networks leave most of a machine
    idle; trained side by side they fill it. What comes before the classifier in a Pipeline is fitted once for each
    fold and setting of its own parameters, and shared by all candidates that differ in the classifier only.

    Parameters
    ----------
    estimator : DynamicsClassifier or Pipeline
        What is searched over; the last step of a Pipeline must be a DynamicsClassifier, or a placeholder
        (``"passthrough"``) that candidates replace by one.
    param_grid : dict or list of dict
        Names of parameters and the values to try; several grids in a list.
    scoring : str, callable, list, tuple or dict, default=None
        As in ``GridSearchCV``: one score or several. ``None`` is the estimator's ``score``.
    n_jobs : int, default=None
        Workers that the fits are dealt out to, in parts of about equal cost, by joblib and its current backend:
        processes, threads, or a Dask cluster under ``joblib.parallel_config(backend="dask")``. ``None`` is one
        program in this process unless a backend is set. Scores do not depend on it, up to rounding. A preprocessing
        is done by one worker, unless there are fewer of them than workers.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows, by its own ``fit``, with its record and all; with several
        scores the name of the one that decides, or a function of ``cv_results_`` that returns the best index.
    cv : int, splitter or iterable, default=None
        The cross-validation splitter; None is five stratified folds.
    verbose : int, default=0
        1 shows a progress bar, over the epochs of all fits, or with several workers over their parts. The estimator's
        own ``verbose`` counts for the refit.
    error_score : "raise" or float, optional
        The score of a fit that fails, with a ``FitFailedWarning``: nan unless given; the other candidates are not
        touched. ``"raise"`` raises its error.
    return_train_score : bool, default=False
        Whether ``cv_results_`` holds scores on the training rows too.
    return_dynamics : bool, default=False
        Whether to keep the record of every fit, in ``candidate_dynamics_``.
    memory_limit : int, default=None
        Bytes that training together may use in each worker: it bounds how many networks make one program. Folds are
        trained together as long as their training data hold no more than it, or 1 GiB where it is None; otherwise
        one after the other.
    checkpoint : str, os.PathLike or Checkpoint, default=None
        A folder in which the search keeps what it has reached. After a kill the same search goes on: candidates that
        were scored on a fold are not trained again there, nor where others are added to the grid, and those that were
        being trained go on; see the parameter of :class:`~sklearn_nndyn.DynamicsClassifier`. The refit has a place
        there too. The estimator's ``random_state`` must be a whole number.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        The columns of ``GridSearchCV``. A fit time is an equal share of the time of all that was trained together,
        and of the preprocessing it shared.
    candidate_dynamics_ : list of list of Dynamics
        With ``return_dynamics``: for each candidate, in the order of ``cv_results_["params"]``, and each fold the
        record of its training rows (row i is row i of the fold's training rows, as ``cv`` gives them); None where
        the fit failed.
    best_estimator_ : estimator
        The best candidate, fitted on all rows. Only with ``refit``.
    best_score_ : float
        Its mean score over the folds.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its row in ``cv_results_``.
    scorer_ : callable or dict
        The scorer or scorers used.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the refit.
    multimetric_ : bool
        Whether there are several scores.
    classes_ : ndarray of shape (n_classes,)
        Labels, of ``best_estimator_``.
    n_features_in_ : int
        Number of features, of ``best_estimator_``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has string names.

    Notes
    -----
    Scores equal those of ``GridSearchCV`` up to rounding: networks that are trained together are summed in another
    order. Each fit gets a clone of the estimator, with the ``random_state`` it would have had.

    Where scoring asks for predictions only (``None``, a name, or a scorer of ``make_scorer``), the candidates keep
    no record unless ``return_dynamics`` asks for it; a scorer that is any other callable finds in the fitted
    candidate all that its parameters promise, and folds are then trained one after the other where ``snapshots``
    keeps the weights.

    scikit-learn's callbacks on the search hear of the search and of the refit, not of single candidates.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01, random_state=0)
    >>> search = BatchedGridSearchCV(clf, {"loss": ["log", "l2", "squared_hinge"]}, return_dynamics=True)
    >>> search = search.fit(X, y)
    >>> len(search.cv_results_["params"]), search.n_splits_
    (3, 5)
    >>> search.candidate_dynamics_[1][0].shape
    (120, 21)
    >>> search.best_estimator_.dynamics_.shape
    (150, 21)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **{
            name: accepted
            for name, accepted in GridSearchCV._parameter_constraints.items()
            if name not in ("estimator", "pre_dispatch")
        },
        "return_dynamics": ["boolean"],
        "memory_limit": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint": [str, os.PathLike, Checkpoint, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping | Sequence[Mapping],
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        return_dynamics: bool = False,
        memory_limit: int | None = None,
        checkpoint: str | os.PathLike | Checkpoint | None = None,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.return_dynamics = return_dynamics
        self.memory_limit = memory_limit
        self.checkpoint = checkpoint

    @_fit_context(prefer_skip_nested_validation=False)
    @keeps_modes
    def fit(self, X: Any, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit and score every candidate on every fold; then fit the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples; a Dataset is read into memory.
        y : array-like of shape (n_samples,), default=None
            Labels; None for a Dataset that gives them.
        **params : dict
            For the estimator's ``fit``, the scorer and the splitter (``groups``), routed as by ``GridSearchCV``;
            what has a value for each sample is cut to the rows of a fold.

        Returns
        -------
        self : BatchedGridSearchCV
            Fitted.

        Raises
        ------
        TypeError
            Where estimator, or what a candidate makes of it, cannot be trained together; before any work.

        Notes
        -----
        Where the search fails or is interrupted, it is as it was before.
        """
        before = dict(self.__dict__)
        try:
            self._search(X, y, params)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    def _search(self, X, y, params):
        candidates = list(ParameterGrid(self.param_grid))
        made = self._make_candidates(candidates)
        scorers, refit_metric = self._get_scorers()
        workers = next((getattr(last_step(one), "num_workers", 0) for one in made), 0)
        X, y = open_labelled(X, y, keep=False, num_workers=workers)
        X, y = indexable(sliceable(X), y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        weight = params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        tasks = CallbackTasks(self, {"X": X, "y": y, "metadata": metadata})
        with tasks.task():
            splits = self._make_splits(X, y, routed.splitter.split)
            spec = self._spec(scorers, routed)
            with tasks.task("search"):
                out = self._evaluate(make_groups(self.estimator, candidates, made, splits), X, y, spec)
            self._keep_results(candidates, out, refit_metric)
            if self.refit:
                self._refit(X, y, routed.estimator.fit, tasks)
            self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers

    def _make_candidates(self, candidates):
        if not isinstance(self.estimator, Pipeline) or not is_placeholder(last_step(self.estimator)):
            check_is_ours(self.estimator, "estimator")
        made = [configured(self.estimator, candidate) for candidate in candidates]
        fitted = [not is_placeholder(last_step(estimator)) for estimator in made]
        if not any(fitted):
            check_is_ours(self.estimator, "estimator")
        for estimator, candidate, is_fitted in zip(made, candidates, fitted, strict=True):
            if not is_fitted:
                continue  # it gets the error score
            check_is_ours(estimator, f"the estimator of the candidate {candidate}")
            if self.return_dynamics and not last_step(estimator).record:
                raise ValueError(
                    "return_dynamics=True keeps the record of every fit, and record=() asks for none: give record, "
                    'for example ("samples", "geometry").'
                )
        return made

    def _make_splits(self, X, y, params):
        cv = self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = cv.get_n_splits(X, y, **params)
        splits = [(np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, **params)]
        if len(splits) != self.n_splits_:
            raise ValueError(
                f"cv.get_n_splits promises {self.n_splits_} folds, and cv.split makes {len(splits)}."
            )
        return splits

    def _spec(self, scorers, routed):
        return SearchSpec(
            estimator=clone(self.estimator),
            scorer=scorers,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            return_dynamics=self.return_dynamics,
            memory_limit=self.memory_limit,
            checkpoint=as_checkpoint(self.checkpoint),
        )

    def _evaluate(self, groups, X, y, spec):
        """Results of all fits, candidate by candidate."""
        if not groups:
            raise ValueError("No fits were performed: cv makes no folds, or param_grid has no candidates.")
        workers = effective_n_jobs(self.n_jobs)
        if workers == 1:
            epochs = sum(fit.epochs for group in groups for fit in group.fits)
            with self._bar(total=epochs, unit="epoch") as bar:
                results = evaluate(groups, X, y, spec, bar.update if self.verbose else None)
        else:
            units = cut(groups, workers, keep_groups=isinstance(self.estimator, Pipeline))
            results = self._evaluate_in_parallel(units, X, y, spec)
        return [results[row] for row in sorted(results)]

    def _evaluate_in_parallel(self, units, X, y, spec):
        calls = (delayed(evaluate)(unit, X, y, spec) for unit in units)
        as_they_come = {"return_as": "generator"} if self.verbose else {}
        parts = Parallel(n_jobs=self.n_jobs, **as_they_come)(calls)
        with self._bar(parts, total=len(units), unit="part") as bar:
            return {row: result for part in bar for row, result in part.items()}

    def _bar(self, parts=None, **kwargs):
        return tqdm(parts, desc="Search", disable=not self.verbose, dynamic_ncols=True, **kwargs)

    def _keep_results(self, candidates, out, refit_metric):
        """Set ``cv_results_``, the best of them, and the records."""
        records = [result.pop("dynamics") for result in out]
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        results = self._format_results(candidates, self.n_splits_, out)
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        self.cv_results_ = results
        self.__dict__.pop("candidate_dynamics_", None)
        if self.return_dynamics:
            n = self.n_splits_
            self.candidate_dynamics_ = [records[i * n : (i + 1) * n] for i in range(len(candidates))]

    def _refit(self, X, y, params, tasks):
        self.best_estimator_ = configured(self.estimator, self.best_params_)
        with tasks.task("refit-with-best-params", self.best_estimator_):
            start = time.time()
            with _with_checkpoint(last_step(self.best_estimator_), self.checkpoint):
                self.best_estimator_.fit(X, y, **params)
            self.refit_time_ = time.time() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


@contextmanager
def _with_checkpoint(classifier, checkpoint):
    """Give a classifier that has none a checkpoint, for one fit."""
    if checkpoint is None or classifier.checkpoint is not None:
        yield
        return
    classifier.checkpoint = checkpoint
    try:
        yield
    finally:
        classifier.checkpoint = None

"""A fold as its classifiers see it: what comes before them, fitted once."""

import math
import time
from dataclasses import dataclass, field

from sklearn_nndyn.model_selection.search._passthrough import (
    Passthrough,
    configured,
    last_step,
    placeholder_error,
    with_last_step,
)
from sklearn_nndyn.model_selection.search._units import FitSpec
from sklearn_nndyn.utils.private_names import _check_method_params, _safe_split


@dataclass
class CandidateFit:
    """One fit of a candidate on a fold: its classifier, what was prepared of it, and the error that ended it.

    With a checkpoint ``name`` and ``description`` tell it from others, and ``result`` is what an earlier search found.
    """

    spec: FitSpec
    fold: "Fold"
    classifier: object
    prepared: object = None
    error: Exception | None = None
    name: str | None = None
    description: dict | None = None
    result: dict | None = None

    @classmethod
    def of(cls, spec, fold, classifier):
        """The fit of this classifier; where a placeholder stands for it, one that failed."""
        return cls(spec, fold, classifier, error=placeholder_error(classifier))


@dataclass
class Fold:
    """A group of fits, its rows, and the preprocessing before the classifier, fitted on them."""

    group: object
    X: object
    y: object
    preprocessing: object = None
    given: dict | None = None
    seconds: float = 0.0
    fits: list = field(default_factory=list)
    transformed: dict = field(default_factory=dict)

    @classmethod
    def open(cls, group, X, y, spec):
        """Make the estimators and fit their preprocessing; an error there is one of every fit."""
        fold = cls(group, X, y)
        estimators = [configured(spec.estimator, fit.params) for fit in group.fits]
        for fit, estimator in zip(group.fits, estimators, strict=True):
            fold.fits.append(CandidateFit.of(fit, fold, last_step(estimator)))
        classifiers = [fit.classifier for fit in fold.fits if fit.error is None]
        if classifiers:
            fold.fit_preprocessing(estimators[0], classifiers[0], spec)
        return fold

    def fit_preprocessing(self, estimator, classifier, spec):
        """Fit the steps before the classifier, whose requests for metadata count."""
        passthrough = Passthrough(classifier)
        self.preprocessing = with_last_step(estimator, passthrough)
        start = time.perf_counter()
        try:
            params = _check_method_params(self.X, spec.fit_params, self.group.train)
            self.preprocessing.fit(*self.rows("train"), **params)
            self.given = passthrough.given_
        except Exception as error:
            for fit in self.fits:
                fit.error = error
        self.seconds = time.perf_counter() - start

    def rows(self, part):
        """X and y of ``"train"`` or ``"test"``, as the user gave them."""
        earlier = () if part == "train" else (self.group.train,)
        return _safe_split(self.preprocessing, self.X, self.y, getattr(self.group, part), *earlier)

    def transformed_rows(self, part):
        """The same, X as the classifier gets it."""
        if part not in self.transformed:
            X, y = self.rows(part)
            self.transformed[part] = self.preprocessing.predict(X), y
        return self.transformed[part]

    def with_classifier(self, classifier):
        """The estimator again, with this classifier at its end."""
        return with_last_step(self.preprocessing, classifier)

    @property
    def nbytes(self):
        """Bytes of the array that the classifiers are trained on."""
        if self.given is None:
            return 0
        X = self.given["X"]
        shape = X.shape if hasattr(X, "shape") else (len(X),)  # a sparse matrix has no length
        return getattr(X, "nbytes", None) or 8 * math.prod(shape)

"""A fold as its classifiers see it: what comes before them, fitted once."""

import math
import time
from dataclasses import dataclass, field

from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from sklearn_nndyn.model_selection.search._passthrough import (
    Passthrough,
    configured,
    last_step,
    with_last_step,
)


@dataclass
class Trial:
    """One fit of the search: a member of a group, made."""

    member: object
    fold: object
    classifier: object
    fit: object = None
    error: Exception = None


@dataclass
class Fold:
    """A group, its rows, and the steps before the classifier, fitted on them."""

    group: object
    X: object
    y: object
    front: object = None
    given: dict = None
    seconds: float = 0.0
    trials: list = field(default_factory=list)
    transformed: dict = field(default_factory=dict)

    @classmethod
    def open(cls, group, X, y, work):
        """Make the estimators and fit what comes before the classifiers; an error is one of every trial."""
        fold = cls(group, X, y)
        estimators = [configured(work.estimator, member.params) for member in group.members]
        for member, estimator in zip(group.members, estimators, strict=True):
            fold.trials.append(Trial(member, fold, last_step(estimator)))
        stand_in = Passthrough(last_step(estimators[0]))
        fold.front = with_last_step(estimators[0], stand_in)
        start = time.perf_counter()
        try:
            fold.front.fit(*fold.rows("train"), **_check_method_params(X, work.fit_params, group.train))
            fold.given = stand_in.given_
        except Exception as error:
            for trial in fold.trials:
                trial.error = error
        fold.seconds = time.perf_counter() - start
        return fold

    def rows(self, part):
        """X and y of ``"train"`` or ``"test"``, as the user gave them."""
        earlier = () if part == "train" else (self.group.train,)
        return _safe_split(self.front, self.X, self.y, getattr(self.group, part), *earlier)

    def transformed_rows(self, part):
        """The same, X as the classifier gets it."""
        if part not in self.transformed:
            X, y = self.rows(part)
            self.transformed[part] = self.front.predict(X), y
        return self.transformed[part]

    def whole(self, classifier):
        """The estimator again, with this classifier at its end."""
        return with_last_step(self.front, classifier)

    @property
    def nbytes(self):
        """Of the array that the classifiers are trained on."""
        if self.given is None:
            return 0
        X = self.given["X"]
        return getattr(X, "nbytes", None) or 8 * math.prod(getattr(X, "shape", (len(X),)))

"""A placeholder for the classifier while the steps before it are fitted."""

import copy
import inspect

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from sklearn_nndyn.classifiers import DynamicsClassifier

PLACEHOLDERS = ("passthrough", "drop")


class Passthrough(BaseEstimator):
    """Takes the place of a classifier, alone or at the end of a Pipeline: its input is what the classifier gets.

    So a Pipeline does all that is a Pipeline's (routing, ``transform_input``, ``memory``, its own messages), once,
    for as many classifiers as share the steps before them.

    Parameters
    ----------
    classifier : DynamicsClassifier
        The classifier whose metadata requests and ``fit`` parameters are used.
    """

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y=None, **params):
        """Keep in ``given_`` what the classifier's ``fit`` would be called with."""
        try:
            self.given_ = inspect.signature(self.classifier.fit).bind(X, y, **params).arguments
        except TypeError as error:
            raise TypeError(f"{type(self.classifier).__name__}.fit() {error}") from None
        return self

    def predict(self, X):
        """Give back what the classifier would predict from."""
        return X

    def get_metadata_routing(self):
        """Metadata routing of the classifier."""
        return self.classifier.get_metadata_routing()


def configured(estimator, params):
    """A fresh copy of the estimator, with the parameters of a candidate."""
    return clone(estimator).set_params(**clone(params, safe=False))


def last_step(estimator):
    """The last step of a Pipeline; any other estimator is its own."""
    if isinstance(estimator, Pipeline) and estimator.steps:
        return estimator.steps[-1][1]
    return estimator


def with_last_step(estimator, last):
    """The same Pipeline with another last step, the ones before it shared; or ``last`` alone."""
    if not isinstance(estimator, Pipeline):
        return last
    other = copy.copy(estimator)
    other.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], last)]
    return other


def is_placeholder(step):
    """Whether it is what a Pipeline takes in place of a step, to be replaced by a candidate."""
    return step is None or (isinstance(step, str) and step in PLACEHOLDERS)


def placeholder_error(step):
    """The error of a fit of a candidate that leaves a placeholder where the classifier should be, or None."""
    if not is_placeholder(step):
        return None
    return ValueError(
        f"The last step is {step!r}, which predicts nothing: give a DynamicsClassifier in its place."
    )


def check_is_ours(estimator, where):
    """Refuse what cannot be trained together.

    Raises
    ------
    TypeError
        Says what was found ``where``, and what to use.
    """
    last = last_step(estimator)
    if not isinstance(last, DynamicsClassifier):
        found = repr(last) if last is estimator else f"a Pipeline that ends in {last!r}"
    elif type(last).fit is not DynamicsClassifier.fit:
        found = f"{type(last).__name__}, which has a fit of its own"
    else:
        return
    raise TypeError(
        "BatchedGridSearchCV trains DynamicsClassifier, alone or as the last step of a Pipeline; "
        f"{where} is {found}. Use sklearn.model_selection.GridSearchCV, which takes any estimator."
    )

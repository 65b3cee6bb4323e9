"""The model inside of pipelines and searches."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def inner_of(model):
    """The model inside of pipelines and searches, and the steps before it, outermost first."""
    before = []
    while True:
        if isinstance(model, Pipeline):
            before += [model[:-1]] if len(model) > 1 else []
            model = model.steps[-1][1]
        elif isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model, before

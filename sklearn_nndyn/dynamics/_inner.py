"""The fitted model inside of pipelines, searches and other estimators around one."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline


def inner_of(model):
    """The model inside, and the steps before it, outermost first."""
    before = []
    while (inner := _inside(model)) is not None:
        if isinstance(model, Pipeline) and len(model) > 1:
            before.append(model[:-1])
        model = inner
    return model, before


def _inside(model):
    """The one model that an estimator is around, trained on the labels that it was given; None where there is none."""
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if isinstance(model, (FixedThresholdClassifier, TunedThresholdClassifierCV)):
        return getattr(model, "estimator_", None)
    if isinstance(model, CalibratedClassifierCV):
        calibrated = getattr(model, "calibrated_classifiers_", ())
        return calibrated[0].estimator if len(calibrated) == 1 else None
    return getattr(model, "best_estimator_", None)


def hint_of_models(model, is_wanted):
    """Where the models lie that an estimator holds, as one writes it; empty where it holds none.

    Those of an ensemble saw rows, columns or labels of their own, so that none of them stands for all.
    """
    found = [
        where
        for name, value in getattr(model, "__dict__", {}).items()
        for where, one in (_named(name, value) if name.endswith("_") else ())
        if is_wanted(inner_of(one)[0])
    ]
    if not found:
        return ""
    kind = type(model).__name__
    if len(found) == 1:
        return f" The {kind} holds one, trained on what it made of the data: give its {found[0]}."
    return f" The {kind} holds {len(found)} of them: give one, such as its {found[0]}."


def _named(name, value):
    """What an attribute holds, or each of its parts, with how it is written."""
    if not isinstance(value, (list, tuple)):
        return [(name, value)]
    return [
        (f"{name}[{i}].estimator", one.estimator)
        if type(one).__name__ == "_CalibratedClassifier"
        else (f"{name}[{i}]", one)
        for i, one in enumerate(value)
    ]

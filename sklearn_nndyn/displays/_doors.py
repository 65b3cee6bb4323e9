"""What the doors of all displays take, checked alike: fitted analyzers, results, records and arrays."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.dynamics import Dynamics

T = TypeVar("T")


def expect_fitted(given: Any, kind: type[T], attributes: str | Sequence[str] | None = None) -> T:
    """A fitted analyzer of this class: a TypeError for anything else, a NotFittedError before ``fit``."""
    expect(given, kind, f"a fitted {kind.__name__}")
    check_is_fitted(given, attributes)
    return given


def expect(given: Any, kind: type[T], wanted: str) -> T:
    """An object of this class: a TypeError that says what is wanted for anything else."""
    if not isinstance(given, kind):
        raise TypeError(f"Expected {wanted}, got {_called(given)}.")
    return given


def expect_classifier(given: Any) -> Any:
    """Any classifier with scikit-learn's methods, fitted or not."""
    if isinstance(given, type) or not (hasattr(given, "fit") and hasattr(given, "predict")):
        raise TypeError(f"Expected fitted classifiers, got {_called(given)}.")
    return given


def expect_comparison(found: Any) -> Any:
    """Result of ``compare_losses``; its class belongs to a later stage, so it is known by what it can do."""
    if isinstance(found, type) or not all(hasattr(found, name) for name in ("learning_curves", "intervals")):
        raise TypeError(f"Expected a LossComparison, as compare_losses returns it, got {_called(found)}.")
    return found


def expect_record_or_losses(given: Any) -> Any:
    """What an analyzer of losses takes: a record, a model that may hold one, or an array of losses."""
    if isinstance(given, type) or not (
        isinstance(given, Dynamics) or hasattr(given, "fit") or np.ndim(given) > 0
    ):
        raise TypeError(
            "Expected a Dynamics, a fitted model that holds one, or losses of shape (n_samples, n_epochs); got "
            f"{_called(given)}."
        )
    return given


def _called(given):
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__

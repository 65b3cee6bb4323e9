"""Accuracy of a new classifier trained on the activations of a layer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn.recording.decoders._base import LayerRecording


class Probe(LayerRecording):
    """Record the accuracy of a new classifier trained on a layer: an entry of ``record``.

    At each recorded epoch a new classifier learns the classes from a layer's activations, and its accuracy on samples
    that it has not seen is recorded. Validation samples are scored by a classifier that learned from the training
    samples; training samples, and those of a replay without ``X_train``, by classifiers that learned from the other
    folds. The string ``"probe"`` stands for the default.

    Parameters
    ----------
    layers : int, str, or sequence of them, default=-1
        Hidden layers by position or name, ``"all"`` of them, or ``"scores"`` for the raw outputs.
    classifier : "logistic" or scikit-learn classifier, default="logistic"
        ``"logistic"``: scikit-learn's LogisticRegression (C=0.01) on standardised activations. Or any classifier,
        which is cloned.
    cv : int, default=5
        Folds of the cross-fitting.
    batch_norm : {"evaluation", "training"}, default="evaluation"
        See :class:`Reconstruction`.
    train : bool, default=True
        Whether training samples are scored as well; False saves the cross-fitting.

    References
    ----------
    .. [1] Schneider, Prabhushankar, "Understanding and Leveraging the Learning Phases of Neural Networks", AAAI
       2024, arXiv 2312.06887.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=1, record=("samples", "probe"), random_state=0).fit(X / 16, y)
    >>> clf.dynamics_.iterations
    array([0, 1, 2, 4, 8, 9])
    >>> clf.dynamics_.probe_accuracy["linear1"].shape
    (6,)
    """

    field = "probe_accuracy"

    def __init__(
        self,
        layers: Any = -1,
        *,
        classifier: Any = "logistic",
        cv: int = 5,
        batch_norm: str = "evaluation",
        train: bool = True,
    ) -> None:
        self.layers = layers
        self.classifier = classifier
        self.cv = cv
        self.batch_norm = batch_norm
        self.train = train

    def check(self) -> None:
        """Raise ValueError or TypeError for parameters that cannot be used."""
        super().check()
        given = self.classifier
        known = given in ("logistic",) if isinstance(given, str) else _is_classifier(given)
        if not known:
            raise ValueError(
                f'Probe: classifier must be "logistic" or a scikit-learn classifier, got {given!r}.'
            )

    def learn(
        self,
        chunks: Callable,
        X: torch.Tensor,
        y: torch.Tensor,
        folds: torch.Tensor,
        shape: tuple,
        *,
        cross_fit: bool,
        fit_on_all: bool,
    ) -> tuple[list, Any]:
        H, labels, fold_of = _together(chunks()), y.cpu().numpy(), folds.cpu().numpy()
        of_fold = (
            [self._fit(H[fold_of != k], labels[fold_of != k]) for k in range(fold_of.max() + 1)]
            if cross_fit
            else []
        )
        return of_fold, self._fit(H, labels) if fit_on_all else None

    def _fit(self, H, y):
        if len(np.unique(y)) == 1:
            return _OneClass(y[0])
        if isinstance(self.classifier, str):
            return _logistic().fit(H, y)
        return clone(self.classifier).fit(H, y)

    def score(
        self, learned: list, chunks: Iterable, X: torch.Tensor, y: torch.Tensor, folds: torch.Tensor
    ) -> float:
        """Accuracy, each sample classified by the classifier of its fold."""
        H, labels, fold_of = _together(chunks), y.cpu().numpy(), folds.cpu().numpy()
        correct = [
            classifier.predict(H[fold_of == k]) == labels[fold_of == k]
            for k, classifier in enumerate(learned)
            if (fold_of == k).any()
        ]
        return float(np.concatenate(correct).mean())


class _OneClass:
    def __init__(self, label):
        self.label = label

    def predict(self, H):
        return np.full(len(H), self.label)


def _is_classifier(given):
    return hasattr(given, "fit") and not isinstance(given, type) and is_classifier(given)


def _logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def _together(chunks):
    return torch.cat([h.flatten(1) for _, h in chunks]).cpu().numpy()

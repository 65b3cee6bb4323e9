"""Error of reconstructing the input from the activations of a layer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from sklearn_nndyn.recording.decoders._base import LayerRecording
from sklearn_nndyn.recording.decoders._ridge import fit_ridge
from sklearn_nndyn.utils.validation import is_finite, is_one_of

MOST_BYTES = 4 * 2**30


class Reconstruction(LayerRecording):
    """Record how well the input can be reconstructed from layers: an entry of ``record``.

    At each recorded epoch a new decoder learns to reconstruct the input from a layer's activations, and its squared
    error on samples that it has not seen, mean over the features of the input, is recorded. Validation samples are
    scored by a decoder that learned from the training samples; training samples, and those of a replay without
    ``X_train``, by decoders that learned from the other folds. The string ``"reconstruction"`` stands for the default.

    Parameters
    ----------
    layers : int, str, or sequence of them, default=-1
        Hidden layers by position or name, ``"all"`` of them, or ``"scores"`` for the raw outputs. -1 is the input of
        the last linear layer.
    alpha : "auto" or float, default="auto"
        Penalty of the linear decoder, which is ridge regression in closed form, as in
        :class:`sklearn.linear_model.Ridge`. ``"auto"``: of 27 multiples of the mean eigenvalue, 1e-10 to 1e3, the one
        that decodes the held-out folds best.
    cv : int, default=5
        Folds of the cross-fitting.
    batch_norm : {"evaluation", "training"}, default="evaluation"
        Whether batch normalisation uses its running statistics, or those of batches of 128 rows, as in the released
        code of [1]_.
    train : bool, default=True
        Whether training samples are scored as well. False saves the cross-fitting; the training record then holds no
        reconstruction.

    Notes
    -----
    Networks with batch normalisation: the running statistics need some dozens of updates to follow the data, and an
    untrained network is hardly normalised in evaluation mode. Early records of the two modes can differ much: V8 on a
    CIFAR-10 subset falls before it rises in training mode, and starts low in evaluation mode
    (``benchmarks/studies``). Compare both before calling a first rise a phase.

    For a linear layer y = Wx of inputs of covariance S the error of the best linear decoder, summed over features,
    is tr(S) - tr(S W' (W S W')^-1 W S).

    References
    ----------
    .. [1] Schneider, Prabhushankar, "Understanding and Leveraging the Learning Phases of Neural Networks", AAAI
       2024, arXiv 2312.06887. See also Schneider 2022, arXiv 2202.08299.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.recording import Reconstruction
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=2, record=("samples", Reconstruction(layers="all")), random_state=0)
    >>> record = clf.fit(X / 16, y).dynamics_
    >>> record.iterations
    array([ 0,  1,  2,  4,  8, 16, 18])
    >>> {layer: errors.shape for layer, errors in record.reconstruction.items()}
    {'linear1': (1797, 7)}
    """

    field = "reconstruction"

    def __init__(
        self,
        layers: Any = -1,
        *,
        alpha: Any = "auto",
        cv: int = 5,
        batch_norm: str = "evaluation",
        train: bool = True,
    ) -> None:
        self.layers = layers
        self.alpha = alpha
        self.cv = cv
        self.batch_norm = batch_norm
        self.train = train

    def check(self) -> None:
        """Raise ValueError or TypeError for parameters that cannot be used."""
        super().check()
        if not (is_one_of(self.alpha, ("auto",)) or (is_finite(self.alpha) and self.alpha >= 0)):
            raise ValueError(
                f'Reconstruction: alpha must be "auto" or a number, 0 or greater, got {self.alpha!r}.'
            )

    def check_data(self, layers: dict[str, torch.Tensor], X: torch.Tensor) -> None:
        if isinstance(X[:1], dict):
            raise ValueError(
                "Reconstruction gives one array back, but X is a dict of arrays: leave it out of record."
            )
        for name, h in layers.items():
            width, n_features = h[:1].numel(), X[:1].numel()
            size = 8 * (self.cv + 3) * width * (width + n_features)
            if size > MOST_BYTES:
                raise ValueError(
                    f"Reconstruction: the ridge decoder of layer {name!r} with {width} features would need "
                    f"{size / 2**30:.0f} GiB, more than {MOST_BYTES / 2**30:.0f}; choose a narrower layer."
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
        return fit_ridge(chunks(), X, folds, alpha=self.alpha, cross_fit=cross_fit, fit_on_all=fit_on_all)

    def score(
        self, learned: list, chunks: Iterable, X: torch.Tensor, y: torch.Tensor, folds: torch.Tensor
    ) -> np.ndarray:
        """Squared error of each sample by the decoder of its fold: mean over the features, in squared units of X."""
        errors = X.new_empty(len(X))
        for rows, h in chunks:
            for fold, decoder in enumerate(learned):
                chosen = (folds[rows] == fold).nonzero()[:, 0]
                misses = decoder(h[chosen]).sub_(X[rows][chosen])
                errors[rows][chosen] = torch.linalg.vector_norm(misses, dim=1).square_() / X.shape[1]
        return errors.cpu().numpy()

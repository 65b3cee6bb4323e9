"""Ridge regression of the input on the activations, from sums that do not grow with the samples.

For activations h (n_samples, width) and inputs x (n_samples, n_features), both centred on the samples learned
from, the decoder is B = (H'H + alpha I)^-1 H'X. H'H, H'X and X'X are summed up chunk by chunk, one sum for each
fold: the decoder fitted without a fold comes from the difference of two sums.
"""

import operator
from dataclasses import dataclass, fields

import torch

from sklearn_nndyn.utils.networks.devices import has_float64

ALPHAS = tuple(10.0 ** (power / 2) for power in range(-20, 7))


@dataclass
class Sums:
    """Sums over samples of the outer products of (activation, input), about a fixed point.

    ``hx``, which is as wide as the input, has the dtype of the data; the other sums have double precision.

    Parameters
    ----------
    n : int
    h, x : tensor of shape (width,), (n_features,)
    hh, hx : tensor of shape (width, width), (width, n_features)
    xx : tensor of shape ()
    """

    n: int
    h: torch.Tensor
    x: torch.Tensor
    hh: torch.Tensor
    hx: torch.Tensor
    xx: torch.Tensor

    @classmethod
    def zero(cls, width, x):
        """The sums of no samples; ``x`` is one input."""
        total_h, total_x = (x.new_zeros(size, dtype=torch.float64) for size in (width, len(x)))
        return cls(0, total_h, total_x, total_h[:, None] * total_h, x.new_zeros(width, len(x)), total_x.sum())

    def add(self, h, x):
        """Add samples."""
        self.n += len(h)
        self.h += h.sum(0, dtype=torch.float64)
        self.x += x.sum(0, dtype=torch.float64)
        self.hh += h.T @ h
        self.hx.addmm_(h.T, x)
        self.xx += torch.linalg.vector_norm(x, dim=1).square_().sum(dtype=torch.float64)

    def __add__(self, other):
        return Sums(*map(operator.add, self._values(), other._values()))

    def __sub__(self, other):
        return Sums(*map(operator.sub, self._values(), other._values()))

    def _values(self):
        return [getattr(self, own.name) for own in fields(self)]

    def about(self, h, x):
        """The same sums about the point (h, x)."""
        return Sums(
            self.n,
            self.h - self.n * h,
            self.x - self.n * x,
            self.hh - torch.outer(h, self.h) - torch.outer(self.h - self.n * h, h),
            self.hx.addr(h.to(self.hx), self.x.to(self.hx), alpha=-1).addr_(
                (self.h - self.n * h).to(self.hx), x.to(self.hx), alpha=-1
            ),
            self.xx - 2 * (x @ self.x) + self.n * (x @ x),
        )


class RidgeSolver:
    """Ridge decoders for any penalty, from one eigendecomposition of the activations' covariance.

    Parameters
    ----------
    sums : Sums
        Sums over the samples to learn from.
    """

    def __init__(self, sums):
        self.mean_h, self.mean_x = sums.h / sums.n, sums.x / sums.n
        centred = sums.about(self.mean_h, self.mean_x)
        values, self.basis = torch.linalg.eigh(centred.hh)
        self.values = values.clamp(min=0)
        self.projected = self.basis.T.to(centred.hx) @ centred.hx

    def shrinkage(self, alphas):
        """1 / (s + alpha) for each alpha and eigenvalue s, (n_alphas, width); for alpha = 0 the pseudo-inverse."""
        scale = (
            self.values + torch.as_tensor(alphas, dtype=self.values.dtype, device=self.values.device)[:, None]
        )
        floor = torch.finfo(scale.dtype).eps * len(self.values) * self.values.max()
        return torch.where(scale > floor, 1 / scale, 0.0)

    def decoder(self, alpha):
        """(bias, weight) of shape (n_features,), (width, n_features)."""
        shrunk = (self.basis * self.shrinkage([alpha])).to(self.projected)
        weight = shrunk @ self.projected
        return self.mean_x - self.mean_h @ weight.double(), weight

    def held_out_errors(self, sums, alphas):
        """Sum of squared errors over other samples, shape (n_alphas,), from their sums alone."""
        other = sums.about(self.mean_h, self.mean_x)
        gram = (self.projected @ self.projected.T).double() * (self.basis.T @ other.hh @ self.basis)
        crossed = (self.projected @ other.hx.T).double()
        cross = (crossed * self.basis.T).sum(1)
        shrinkage = self.shrinkage(alphas)
        return other.xx - 2 * (shrinkage @ cross) + ((shrinkage @ gram) * shrinkage).sum(1)


def sum_up(chunks, X, folds, n_folds):
    """The `Sums` of each fold about a point near the mean, and that point, of shapes (width,) and (n_features,).

    ``chunks`` are rows, slices, and a layer's activations of them, (n_rows, ...).
    """
    sums = point = None
    for rows, h in chunks:
        h, x = h.flatten(1), X[rows]
        if sums is None:
            point = h.mean(0), x.mean(0)
            sums = [Sums.zero(h.shape[1], x[0]) for _ in range(n_folds)]
        h, x = h - point[0], x - point[1]
        for fold, of_fold in enumerate(sums):
            chosen = (folds[rows] == fold).nonzero()[:, 0]
            of_fold.add(h[chosen], x[chosen])
    return sums, point


def fit_ridge(chunks, X, folds, *, alpha="auto", cross_fit=True, fit_on_all=False):
    """Fit ridge decoders on all samples, and on all samples but those of each fold.

    Parameters
    ----------
    chunks : iterable of (slice, tensor of shape (n_rows, ...))
        Rows, and a layer's activations of them.
    X : tensor of shape (n_samples, n_features)
        The inputs.
    folds : tensor of shape (n_samples,)
        The fold of each sample.
    alpha : "auto" or float, default="auto"
        The penalty; ``"auto"``: of ``ALPHAS`` times the mean eigenvalue the one that decodes the held-out folds
        best.
    cross_fit, fit_on_all : bool
        Whether to fit a decoder without each fold; whether to fit one on all samples.

    Returns
    -------
    of_fold : list of LinearDecoder
        The decoders fitted without each fold; empty unless ``cross_fit``.
    of_all : LinearDecoder or None
        The decoder fitted on all samples, where ``fit_on_all``.
    """
    device = X.device
    if not has_float64(device):
        # Eigenvalues span more than single precision holds.
        chunks, X, folds = ((rows, h.cpu()) for rows, h in chunks), X.cpu(), folds.cpu()
    sums, point = sum_up(chunks, X, folds, int(folds.max()) + 1)
    total = sum(sums[1:], start=sums[0])
    solvers = [RidgeSolver(total - own) for own in sums] if cross_fit or alpha == "auto" else []
    if alpha == "auto":
        alpha = _best_alpha(solvers, sums, total)

    def decoder(solver):
        return LinearDecoder(*solver.decoder(alpha), *point, X.dtype, device)

    return (
        [decoder(solver) for solver in solvers] if cross_fit else [],
        decoder(RidgeSolver(total)) if fit_on_all else None,
    )


def _best_alpha(solvers, sums, total):
    variances = total.hh.diagonal() - total.h.square() / total.n
    alphas = [float(variances.mean()) * factor for factor in ALPHAS]
    errors = sum(solver.held_out_errors(own, alphas) for solver, own in zip(solvers, sums, strict=True))
    return alphas[int(errors.argmin())]


class LinearDecoder:
    """x = bias + (h - point) weight, where the point keeps the product free of a large mean.

    Parameters
    ----------
    bias, weight : tensor of shape (n_features,), (width, n_features)
        Coefficients for activations and inputs from which the points are subtracted.
    point_h, point_x : tensor of shape (width,), (n_features,)
    dtype : torch.dtype
    device : torch.device
    """

    def __init__(self, bias, weight, point_h, point_x, dtype, device):
        # The dtype first: the device may not have that of the sums.
        self.weight = weight.to(dtype).to(device)
        self.bias, self.point = (point_x + bias).to(dtype).to(device), point_h.to(device)

    def __call__(self, h):
        """Inputs (n_rows, n_features) of activations (n_rows, ...)."""
        return torch.addmm(self.bias, h.flatten(1) - self.point, self.weight)

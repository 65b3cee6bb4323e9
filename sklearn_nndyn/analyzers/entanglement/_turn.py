"""The epoch at which a falling curve begins to rise for good."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import uniform_filter1d
from sklearn.utils import gen_batches

from sklearn_nndyn.analyzers._curves import noise_of_curves
from sklearn_nndyn.analyzers.entanglement._checks import check_burn_in, check_rule, check_tolerance

LEAST_TURN = 0.01  # of the range of the curve
ABOVE_MEAN = 3.0  # standard deviations of noise, by which it seldom ends above its mean
LARGEST_WINDOW = 0.2  # of the recorded epochs
CURVES_AT_ONCE = 20_000  # some ten copies of them are held


def smoothed_curve(curve: ArrayLike) -> tuple[np.ndarray, float]:
    """The curve, averaged over neighbours until its noise is below a hundredth of its range.

    Over a fifth of the values at most. A curve without noise stays as it is.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    curve : array of shape (n_epochs,)
        The average, in the units of the curve.
    noise : float
        Standard deviation that is left.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import smoothed_curve
    >>> curve = np.linspace(1, 0, 100) + 0.05 * np.random.default_rng(0).normal(size=100)
    >>> smooth, noise = smoothed_curve(curve)
    >>> smooth.shape, noise < 0.02
    ((100,), True)
    """
    (smooth,), (noise,), _ = smoothed_curves(np.asarray(curve, dtype=np.float64)[None])
    return smooth, float(noise)


def smoothed_curves(curves):
    """The same of each curve (n_curves, n_epochs): curves, what noise is left, and how many values were averaged."""
    noise, size = noise_of_curves(curves), np.ptp(curves, axis=1)
    needed = np.divide(noise, LEAST_TURN * size, out=np.zeros(len(curves)), where=size > 0) ** 2
    windows = np.minimum(np.ceil(needed), LARGEST_WINDOW * curves.shape[1]).astype(int)
    windows = np.maximum(1, windows - 1 + windows % 2)  # odd: the average stays where it belongs
    smooth = curves.copy()
    for window in np.unique(windows[windows > 1]):  # of one, a running sum would add its rounding
        chosen = windows == window
        # At the ends the curve goes on as its mirror image: to repeat the last value would keep its noise.
        smooth[chosen] = uniform_filter1d(curves[chosen], window, axis=1, mode="reflect")
    return smooth, noise / np.sqrt(windows), windows


def lasting_turn(curve: ArrayLike, tolerance: Literal["auto"] | float = "auto") -> int | None:
    """Position of the lowest value from which the curve rises for good, and to which it had fallen.

    The curve was higher before by more than the tolerance, is never lower afterwards, and ends higher by more than
    the tolerance: so a first rise, a dip that is made up for, and noise are no turns.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.
    tolerance : "auto" or float, default="auto"
        Share of the range of the curve; "auto" is a hundredth, or 3 + sqrt(2 ln(n_epochs / window)) standard
        deviations of the noise that averages over a window of epochs leave, where that is more: the least of so many
        independent averages is expected that root below their mean, and the last seldom lies three above.

    Returns
    -------
    turn : int or None
        None where there is no such value.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import lasting_turn
    >>> lasting_turn([1.0, 0.4, 0.5, 0.2, 0.6, 0.8]), lasting_turn([1.0, 0.5, 0.2, 0.1])
    (3, None)
    """
    (turn,) = _lasting_turns(np.asarray(curve, dtype=np.float64)[None], tolerance)
    return None if turn < 0 else int(turn)


def turn_tolerance(curves, noise, windows, tolerance):
    """How far ``smoothed_curves`` (n_curves, n_epochs) have to come, and to turn back, in their units.

    Of m independent values of noise the least is expected sqrt(2 ln m) deviations below their mean, at most.
    """
    size = np.ptp(curves, axis=1)
    if tolerance != "auto":
        return tolerance * size
    reach = ABOVE_MEAN + np.sqrt(2 * np.log(curves.shape[1] / windows))
    return np.maximum(LEAST_TURN * size, reach * noise)


def _lasting_turns(curves, tolerance):
    """The same of each curve (n_curves, n_epochs); -1 where there is no such value."""
    curves, noise, windows = smoothed_curves(curves)
    least = turn_tolerance(curves, noise, windows, tolerance)
    fallen = np.maximum.accumulate(curves, axis=1) - curves
    risen = curves[:, -1:] - curves
    stays = curves <= np.minimum.accumulate(curves[:, ::-1], axis=1)[:, ::-1]
    turns = stays & (fallen > least[:, None]) & (risen > least[:, None])
    return np.where(turns.any(axis=1), np.where(turns, curves, np.inf).argmin(axis=1), -1)


def first_rise(curve: ArrayLike) -> int | None:
    """Position of the first value that the next is not below.

    The rule of the code of Ciceri et al. (2024), which counts from epoch 20, and stops one epoch later than the
    turning epoch that is given here.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    turn : int or None
        None where every value is below the one before.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import first_rise
    >>> first_rise([1.0, 0.4, 0.5, 0.2, 0.6, 0.8]), first_rise([1.0, 0.5, 0.2])
    (1, None)
    """
    (turn,) = _first_rises(np.asarray(curve, dtype=np.float64)[None])
    return None if turn < 0 else int(turn)


def _first_rises(curves):
    """The same of each curve (n_curves, n_epochs); -1 where every value is below the one before."""
    stops = np.diff(curves, axis=1) >= 0
    return np.where(stops.any(axis=1), stops.argmax(axis=1) if stops.shape[1] else -1, -1)


def turning_point(
    curve: ArrayLike,
    epochs: ArrayLike | None = None,
    *,
    rule: Literal["extremum", "first_rise"] = "extremum",
    burn_in: int = 0,
    tolerance: Literal["auto"] | float = "auto",
) -> int | None:
    """Position at which a curve that falls begins to rise, by a rule, from an epoch on.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        A curve with a nan has no turn. Give the negative of one that grows before it turns.
    epochs : array of shape (n_epochs,), default=None
        Recorded epochs, increasing; None is 0, 1, ...
    rule : {"extremum", "first_rise"}, default="extremum"
        See ``lasting_turn`` and ``first_rise``.
    burn_in : int, default=0
        First epoch that may be the turning epoch.
    tolerance : "auto" or float, default="auto"
        See ``lasting_turn``.

    Returns
    -------
    turn : int or None
        None where the curve has no turn.

    Raises
    ------
    TypeError, ValueError
        For another rule, a ``burn_in`` that is not before the last epoch, or a tolerance that is not between 0 and 1.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import turning_point
    >>> curve = [1.0, 0.4, 0.5, 0.2, 0.6, 0.8]
    >>> turning_point(curve), turning_point(curve, rule="first_rise")
    (3, 1)
    """
    values = np.asarray(curve, dtype=np.float64)
    epochs = np.arange(len(values)) if epochs is None else np.asarray(epochs)
    check_rule(rule)
    check_tolerance(tolerance)
    check_burn_in(burn_in, epochs)
    (turn,) = turning_points(values[None], epochs, rule, burn_in, tolerance)
    return None if turn < 0 else int(turn)


def turning_points(curves, epochs, rule, burn_in, tolerance):
    """The same of each of many curves, int of shape (n_curves,); -1 where there is none.

    Parameters
    ----------
    curves : array of shape (n_curves, n_epochs)
    epochs, rule, burn_in, tolerance
        Checked already.
    """
    start = int(np.searchsorted(epochs, burn_in))
    turns = np.full(len(curves), -1)
    for rows in gen_batches(len(curves), CURVES_AT_ONCE) if len(curves) else ():
        values = curves[rows, start:]
        known = ~np.isnan(values).any(axis=1)
        found = (
            _lasting_turns(values[known], tolerance) if rule == "extremum" else _first_rises(values[known])
        )
        turns[rows][known] = np.where(found < 0, -1, start + found)
    return turns

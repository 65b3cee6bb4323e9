"""Where a curve that falls begins to rise for good."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import uniform_filter1d

from sklearn_nndyn.analyzers.entanglement._checks import check_burn_in, check_rule, check_tolerance

LEAST_TURN = 0.01  # of the range of the curve
NOISE = 6.0  # standard deviations
LARGEST_WINDOW = 0.2  # of the recorded epochs
LASTING = 6  # values that a third difference is estimated from, at least


def curve_noise(curve: ArrayLike) -> float:
    """Standard deviation of what varies from one value of a curve to the next.

    Third differences of a smooth curve are next to nothing; those of independent noise of deviation s have deviation
    sqrt(20) s. Of them the median absolute value is taken, which a few sharp bends do not move.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    noise : float
        In the units of the curve; 0 for fewer than nine values, which cannot tell.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import curve_noise
    >>> curve = np.linspace(0, 9, 400) ** 2
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> round(curve_noise(curve), 3), round(curve_noise(curve + noise), 1)
    (0.0, 1.0)
    """
    bends = np.diff(np.asarray(curve, dtype=np.float64), 3)
    return float(np.median(np.abs(bends)) / (0.6745 * np.sqrt(20))) if len(bends) >= LASTING else 0.0


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
    curve = np.asarray(curve, dtype=np.float64)
    noise, size = curve_noise(curve), np.ptp(curve)
    needed = (noise / (LEAST_TURN * size)) ** 2 if size > 0 else 0
    window = int(min(np.ceil(needed), LARGEST_WINDOW * len(curve)))
    window = max(1, window - 1 + window % 2)  # odd: the average stays where it belongs
    if window == 1:
        return curve, noise  # a running sum would add its rounding
    # At the ends the curve goes on as its mirror image: to repeat the last value would keep its noise.
    return uniform_filter1d(curve, window, mode="reflect"), float(noise / np.sqrt(window))


def lasting_turn(curve: ArrayLike, tolerance: Literal["auto"] | float = "auto") -> int | None:
    """Position of the lowest value from which the curve rises for good, and to which it had fallen.

    The curve was higher before by more than the tolerance, is never lower afterwards, and ends higher by more than
    the tolerance: so a first rise, a dip that is made up for, and noise are no turns.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.
    tolerance : "auto" or float, default="auto"
        Share of the range of the curve; "auto" is a hundredth, or six standard deviations of the noise where that is
        more.

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
    curve, noise = smoothed_curve(curve)
    least = (
        max(LEAST_TURN * np.ptp(curve), NOISE * noise) if tolerance == "auto" else tolerance * np.ptp(curve)
    )
    fallen = np.maximum.accumulate(curve) - curve
    risen = curve[-1] - curve
    stays = curve <= np.minimum.accumulate(curve[::-1])[::-1]
    turns = stays & (fallen > least) & (risen > least)
    return int(np.where(turns, curve, np.inf).argmin()) if turns.any() else None


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
    stops = np.flatnonzero(np.diff(curve) >= 0)
    return int(stops[0]) if len(stops) else None


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
    start = int(np.searchsorted(epochs, burn_in))
    if np.isnan(values[start:]).any():
        return None
    turn = lasting_turn(values[start:], tolerance) if rule == "extremum" else first_rise(values[start:])
    return None if turn is None else start + turn

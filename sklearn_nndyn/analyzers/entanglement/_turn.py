"""Where a curve that falls begins to rise for good."""

import numpy as np
from scipy.ndimage import uniform_filter1d

LEAST_TURN = 0.01  # of the range of the curve
NOISE = 6.0  # standard deviations
LARGEST_WINDOW = 0.2  # of the recorded epochs
LASTING = 6  # values that a third difference is estimated from, at least


def noise_of(curve):
    """Standard deviation of what varies from one value to the next.

    Third differences of a smooth curve are next to nothing; those of independent noise of deviation s have deviation
    sqrt(20) s. Of them the median absolute value is taken, which a few sharp bends do not move.

    Parameters
    ----------
    curve : array of shape (n_epochs,)

    Returns
    -------
    noise : float
        In the units of the curve; 0 for fewer than nine values, which cannot tell.
    """
    bends = np.diff(curve, 3)
    return float(np.median(np.abs(bends)) / (0.6745 * np.sqrt(20))) if len(bends) >= LASTING else 0.0


def averaged(curve):
    """The curve, averaged over neighbours until its noise is below a hundredth of its range.

    Over a fifth of the values at most. A curve without noise stays as it is.

    Returns
    -------
    curve : array of shape (n_epochs,)
    noise : float
        Standard deviation that is left.
    """
    noise, size = noise_of(curve), np.ptp(curve)
    needed = (noise / (LEAST_TURN * size)) ** 2 if size > 0 else 0
    window = int(min(np.ceil(needed), LARGEST_WINDOW * len(curve)))
    window = max(1, window - 1 + window % 2)  # odd: the average stays where it belongs
    if window == 1:
        return curve, noise  # a running sum would add its rounding
    # At the ends the curve goes on as its mirror image: to repeat the last value would keep its noise.
    return uniform_filter1d(curve, window, mode="reflect"), noise / np.sqrt(window)


def lasting_turn(curve, tolerance="auto"):
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
    """
    curve, noise = averaged(np.asarray(curve, dtype=np.float64))
    least = (
        max(LEAST_TURN * np.ptp(curve), NOISE * noise) if tolerance == "auto" else tolerance * np.ptp(curve)
    )
    fallen = np.maximum.accumulate(curve) - curve
    risen = curve[-1] - curve
    stays = curve <= np.minimum.accumulate(curve[::-1])[::-1]
    turns = stays & (fallen > least) & (risen > least)
    return int(np.where(turns, curve, np.inf).argmin()) if turns.any() else None


def first_rise(curve):
    """Position of the first value that the next is not below; None where every value is below the one before.

    The rule of the code of Ciceri et al. (2024), which counts from epoch 20.
    """
    stops = np.flatnonzero(np.diff(curve) >= 0)
    return int(stops[0]) if len(stops) else None


def turn_of(curve, epochs, rule, burn_in=0, tolerance="auto"):
    """Position of the turn of a curve that falls, by a rule, from an epoch on.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        A curve with a nan has no turn.
    epochs : array of shape (n_epochs,)
        Recorded epochs, increasing.
    rule : {"extremum", "first_rise"}
        See ``lasting_turn`` and ``first_rise``.
    burn_in : int, default=0
        First epoch that may be the turn.
    tolerance : "auto" or float, default="auto"
        Of ``lasting_turn``.

    Returns
    -------
    turn : int or None
    """
    start = int(np.searchsorted(epochs, burn_in))
    curve = curve[start:]
    if np.isnan(curve).any() or not len(curve):
        return None
    turn = lasting_turn(curve, tolerance) if rule == "extremum" else first_rise(curve)
    return None if turn is None else start + turn

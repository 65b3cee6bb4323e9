"""How far a curve without a trend falls from its start, and rises to its end, by chance.

Its least value is chosen among all epochs, so a fall to it, and a rise from it, are set against those of curves of
noise, in which it is chosen likewise. Curves of noise have the variance and the correlation from epoch to epoch that
the runs have about their mean. A single run has no such spread: what counts as chance is how far a fall, and a rise,
goes in curves that wander (each value is .9 of the one before, and noise), in units of the noise that third differences
show. Where both are large that is what the lesser of the two exceeds, and else what either exceeds alone. Of few epochs
a median of third differences is too uncertain to be such a unit: their root mean square is taken.
"""

from functools import lru_cache

import numpy as np

from sklearn_nndyn.analyzers._curves import ROUNDING, wandering

LEVEL = 0.95
N_CURVES = 2000
MOST_CORRELATED = 0.9999
WANDER, WANDER_LEVEL = 0.9, 0.97
LEAST_EPOCHS = 9  # that noise is estimated from
BENDS = 0.1  # of the third differences, the greatest, and at least two: where the trend bends


def chance_changes(rows, one_run):
    """What a fall from the start, a rise to the end, and a rise above the start seldom exceed by chance.

    ``rows`` (n_rows, n_epochs) are curves of runs or, with ``one_run``, of the samples of one run: fewer than nine
    epochs of it do not show its noise, and give inf.
    """
    if one_run or len(rows) == 1:
        if rows.shape[1] < LEAST_EPOCHS:
            return (np.inf,) * 3
        return _chance_of_one(rows.mean(axis=0))
    scale, correlation, freedom = noise_of_runs(rows)
    return tuple(scale * own for own in _unit_changes(rows.shape[1], round(correlation, 4), int(freedom)))


def _chance_of_one(curve):
    """The same for a single curve."""
    noise = float(_noise(curve[None])[0])
    change, turn = (noise * own for own in _unit_wander(len(curve))) if noise else (0.0, 0.0)
    turns = min(curve[0], curve[-1]) - curve.min() > turn
    return (turn,) * 3 if turns else (change, change, turn)


@lru_cache
def _unit_wander(n_epochs):
    """What rises of wandering curves, and the lesser of fall and rise, seldom exceed, in units of the noise seen."""
    curves = wandering(np.random.default_rng(0).normal(size=(N_CURVES, n_epochs)), WANDER)
    fall, rise = curves[:, 0] - curves.min(axis=1), curves[:, -1] - curves.min(axis=1)
    noise = _noise(curves)
    turn = np.quantile(np.minimum(fall, rise) / noise, LEVEL)
    return float(np.quantile(rise / noise, WANDER_LEVEL)), float(turn)


def _noise(curves):
    """Deviation from one value to the next of each curve, by its third differences but the greatest; 0 for rounding."""
    squares = np.sort(np.diff(curves, 3) ** 2 / 20)
    noise = np.sqrt(squares[:, : -max(2, round(BENDS * squares.shape[1]))].mean(axis=1))
    return np.where(noise > ROUNDING * np.abs(curves).max(axis=1), noise, 0.0)


def noise_of_runs(rows):
    """Standard deviation of the mean curve's noise, its correlation from epoch to epoch, and degrees of freedom."""
    deviations = rows - rows.mean(axis=0)
    freedom = (len(rows) - 1) * rows.shape[1]
    variance = (deviations**2).sum() / freedom
    before, after = deviations[:, :-1], deviations[:, 1:]
    size = np.sqrt((before**2).sum() * (after**2).sum())
    correlation = min(max((before * after).sum() / size, 0.0), MOST_CORRELATED) if size > 0 else 0.0
    independent = (1 - correlation**2) / (1 + correlation**2)
    return np.sqrt(variance / len(rows)), float(correlation), max(len(rows) - 1, freedom * independent)


@lru_cache(maxsize=256)
def _unit_changes(n_epochs, correlation, freedom):
    """The same for noise of deviation one, estimated with so many degrees of freedom."""
    rng = np.random.default_rng(0)
    curves = wandering(rng.normal(size=(N_CURVES, n_epochs)), correlation)
    curves /= np.sqrt(rng.chisquare(freedom, N_CURVES) / freedom)[:, None]
    start, end, least = curves[:, 0], curves[:, -1], curves.min(axis=1)
    changes = start - least, end - least, curves.max(axis=1) - start
    return tuple(float(np.quantile(own, LEVEL)) for own in changes)

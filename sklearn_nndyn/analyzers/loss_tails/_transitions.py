"""Shares of the rise: of samples that are right, wrong, or changed sides; and whether they lie at the border.

The usual account of a rising loss is that more samples come to lie near the border between two classes. Venter,
Theunissen and Davel (2021, arXiv 2103.07986) say that this is not the main one: it is samples that are wrong by more
and more. How the two are distinguished here is our own operational definition.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.utils.statistics import ratio_interval

TRANSITIONS = ("CC", "CW", "WC", "WW")
NEAR = 0.1


def transitions(correct_at_turn: ArrayLike, correct_at_end: ArrayLike) -> np.ndarray:
    """Whether each sample stayed right (CC), became wrong (CW), became right (WC) or stayed wrong (WW).

    Parameters
    ----------
    correct_at_turn, correct_at_end : array of bool of shape (n_samples,)
        Whether it is classified correctly at the turning epoch, and at the end.

    Returns
    -------
    transition : array of str of shape (n_samples,)
        ``"CC"``, ``"CW"``, ``"WC"`` or ``"WW"``: C is correct, W wrong; first at the turning epoch, then at the end.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import transitions
    >>> transitions([True, True, False], [True, False, True]).tolist()
    ['CC', 'CW', 'WC']
    """
    wrong = (~np.asarray(correct, dtype=bool) for correct in (correct_at_turn, correct_at_end))
    before, after = wrong
    return np.array(TRANSITIONS)[2 * before + after]


def transition_table(
    transition: ArrayLike,
    rise: ArrayLike,
    margin_at_turn: ArrayLike | None = None,
    margin_at_end: ArrayLike | None = None,
) -> dict[str, dict[str, float]]:
    """Count, rise and margins of the samples that stayed right, became wrong, became right, stayed wrong.

    Parameters
    ----------
    transition : array of str of shape (n_samples,)
        The transition of each sample, as given by ``transitions``.
    rise : array of shape (n_samples,)
        Rises d_i, in the units of the loss.
    margin_at_turn, margin_at_end : array of shape (n_samples,), default=None
        Score of the true class less the greatest of the others, in the units of the scores.

    Returns
    -------
    table : dict of str to dict of str to float
        For each transition its ``"count"``, ``"rise_sum"``, ``"rise_mean"`` and, where there are margins,
        ``"margin_at_turn"`` and ``"margin_at_end"``, their medians. Mean and median of no samples are nan.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import transition_table
    >>> transition_table(["CC", "WW", "WW"], [-0.5, 2.0, 4.0])["WW"]
    {'count': 2, 'rise_sum': 6.0, 'rise_mean': 3.0}
    """
    transition, rise = np.asarray(transition), np.asarray(rise)
    measured = {"margin_at_turn": margin_at_turn, "margin_at_end": margin_at_end}
    table = {}
    for name in TRANSITIONS:
        own = transition == name
        count = int(own.sum())
        total = float(rise[own].sum())
        table[name] = {"count": count, "rise_sum": total, "rise_mean": total / count if count else np.nan}
        table[name] |= {key: _median(np.asarray(m)[own]) for key, m in measured.items() if m is not None}
    return table


def borderline_test(transition: ArrayLike, rise: ArrayLike, margin: ArrayLike) -> dict[str, Any]:
    """Whether the samples that rose are borderline, or wrong by far.

    A sample is near the border where its margin is smaller than a tenth of the median absolute margin: a scale
    of the network's own, so that scores in other units change nothing. Borderline are samples that stayed right
    and are near the border, and those that became right; wrong by far are samples that are wrong at the end
    and not near the border. Of all that rose, sum_i max(d_i, 0), each side has a share, and the one with more
    than half of it gives the verdict.

    Parameters
    ----------
    transition : array of str of shape (n_samples,)
        The transition of each sample, as given by ``transitions``.
    rise : array of shape (n_samples,)
        Rises d_i, in the units of the loss.
    margin : array of shape (n_samples,)
        At the end, in the units of the scores.

    Returns
    -------
    found : dict
        ``"verdict"``: ``"borderline"``, ``"wrong by far"``, ``"neither"``, or ``"no rise"`` where the sum of
        d_i is not positive; ``"borderline_share"`` and ``"wrong_share"``, nan where nothing rose; ``"near"``,
        the margin below which a sample is near the border; ``"wrong_fraction"``, the fraction of the samples that are
        wrong by far; and ``"wrong_interval"``, a 95 % interval of their share, None where it cannot be given.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import borderline_test
    >>> found = borderline_test(["CC", "CC", "WW"], [-0.1, -0.1, 2.0], [5.0, 4.0, -6.0])
    >>> found["verdict"], found["wrong_share"], found["near"]
    ('wrong by far', 1.0, 0.5)
    """
    transition, rise, margin = np.asarray(transition), np.asarray(rise), np.asarray(margin)
    near = NEAR * float(np.median(np.abs(margin)))
    stays_right, becomes_right = transition == "CC", transition == "WC"
    borderline = becomes_right | (stays_right & (np.abs(margin) < near))
    by_far = ~stays_right & ~becomes_right & (np.abs(margin) >= near)
    rose = np.maximum(rise, 0)
    total = rose.sum()
    shares = [float(rose[group].sum() / total) if total > 0 else np.nan for group in (borderline, by_far)]
    return {
        "verdict": _verdict(rise.sum(), *shares),
        "borderline_share": shares[0],
        "wrong_share": shares[1],
        "near": near,
        "wrong_fraction": float(by_far.mean()),
        "wrong_interval": ratio_interval(rose * by_far, rose),
    }


def _verdict(net, borderline, by_far):
    if not net > 0:
        return "no rise"
    if borderline > 0.5:
        return "borderline"
    return "wrong by far" if by_far > 0.5 else "neither"


def _median(values):
    return float(np.median(values)) if len(values) else np.nan

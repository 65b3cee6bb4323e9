"""Where the rise falls: on samples that are right, wrong, or changed sides; and whether at the border.

The usual account of a rising loss is that more samples come to lie near the border between two classes. Venter,
Theunissen and Davel (2021, arXiv 2103.07986) say that this is not the main one: it is samples that are wrong by more
and more. How the two are told apart here is our own operational definition.
"""

import numpy as np

TRANSITIONS = ("CC", "CW", "WC", "WW")
NEAR = 0.1


def transition_of(correct_at_turn, correct_at_end):
    """Position in ``TRANSITIONS`` of each sample: C is correct, W wrong; first at the turn, then at the end."""
    return 2 * ~np.asarray(correct_at_turn) + ~np.asarray(correct_at_end)


def transition_table(transition, rise, margin_at_turn=None, margin_at_end=None):
    """Count, rise and margins of the samples that stayed right, became wrong, became right, stayed wrong.

    Parameters
    ----------
    transition : array of int of shape (n_samples,)
        Positions in ``TRANSITIONS``.
    rise : array of shape (n_samples,)
        d_i, in the units of the loss.
    margin_at_turn, margin_at_end : array of shape (n_samples,), optional
        In the units of the scores.

    Returns
    -------
    table : dict of str to dict of str to float
        For each of ``TRANSITIONS`` its ``"count"``, ``"rise_sum"``, ``"rise_mean"`` and, where there are
        margins, ``"margin_at_turn"`` and ``"margin_at_end"``, their medians. Mean and median of no samples are
        nan.
    """
    measured = {"margin_at_turn": margin_at_turn, "margin_at_end": margin_at_end}
    table = {}
    for position, name in enumerate(TRANSITIONS):
        own = transition == position
        count = int(own.sum())
        total = float(rise[own].sum())
        table[name] = {"count": count, "rise_sum": total, "rise_mean": total / count if count else np.nan}
        table[name] |= {key: _median(m[own]) for key, m in measured.items() if m is not None}
    return table


def borderline_test(transition, rise, margin):
    """Whether the samples that rose are borderline, or wrong by far.

    A sample is near the border where its margin is smaller than a tenth of the median absolute margin: a scale
    of the network's own, so that scores in other units change nothing. Borderline are samples that stayed right
    and are near the border, and those that became right; wrong by far are samples that are wrong at the end
    and not near the border. Of all that rose, sum_i max(d_i, 0), each side has a share, and the one with more
    than half of it gives the verdict.

    Parameters
    ----------
    transition : array of int of shape (n_samples,)
        Positions in ``TRANSITIONS``.
    rise : array of shape (n_samples,)
        d_i.
    margin : array of shape (n_samples,)
        At the end.

    Returns
    -------
    found : dict
        ``"verdict"``: ``"borderline"``, ``"wrong by far"``, ``"neither"``, or ``"no rise"`` where the sum of
        d_i is not positive; ``"borderline_share"`` and ``"wrong_share"``, nan where nothing rose; ``"near"``,
        the margin below which a sample is near the border.
    """
    near = NEAR * float(np.median(np.abs(margin)))
    stays_right, becomes_right = transition == 0, transition == 2
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
    }


def _verdict(net, borderline, by_far):
    if not net > 0:
        return "no rise"
    if borderline > 0.5:
        return "borderline"
    return "wrong by far" if by_far > 0.5 else "neither"


def _median(values):
    return float(np.median(values)) if len(values) else np.nan

"""The x axis of records that lie close together at the start of training: logarithmic, with a place for 0."""

import numpy as np

from sklearn_nndyn.displays._style import mark_epochs

FIRST_STEP = 0.4  # decades, from 0 to the first record after it
LETTER, GAP = 0.62, 0.6  # width of a letter, and between two words, in sizes of the letters
MOST_RECORDS = 24  # of which each may have a tick
STEADY = 4.0  # how much longer the last step may be than the first where the axis is linear


def when_recorded(epochs, iterations=None):
    """Iterations where they were counted, else epochs; and the name of what they count."""
    return (np.asarray(epochs), "epoch") if iterations is None else (np.asarray(iterations), "iteration")


def record_axis(ax, recorded_at, unit):
    """Scale, ticks and name of the x axis, for ``recorded_at`` (n_records,): linear where about evenly spaced."""
    from matplotlib.ticker import NullLocator

    ax.set_xlabel(unit)
    steps = np.diff(recorded_at)
    if not len(steps) or steps[-1] <= STEADY * steps[0]:
        if (recorded_at % 1 == 0).all():
            mark_epochs(ax, recorded_at)
        return
    ax.set_xlabel(f"{unit} (logarithmic)")
    ax.set_xscale("symlog", linthresh=recorded_at[recorded_at > 0][0], linscale=0.9 * FIRST_STEP)
    ax.set_xlim(*_limits(ax, recorded_at))
    ticks = _ticks(ax, recorded_at)
    ax.set_xticks(ticks, [_word(tick) for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def _limits(ax, recorded_at):
    """A fiftieth of the axis beside the first and the last record."""
    transform = ax.xaxis.get_transform()
    low, high = transform.transform(recorded_at[[0, -1]].astype(float))
    beside = 0.02 * (high - low)
    return transform.inverted().transform(np.array([low - beside, high + beside]))


def _word(tick):
    return f"{tick:.3g}" if tick < 1000 else f"{tick:,.0f}"


def _ticks(ax, recorded_at):
    """Recorded times, or where they are many round numbers, far enough from one another to be read."""
    places = recorded_at if len(recorded_at) <= MOST_RECORDS else _round(recorded_at)
    size = ax.xaxis.get_major_ticks()[0].label1.get_size()
    widths = [LETTER * size * len(_word(place)) for place in places]
    along = _points(ax, places)
    chosen = [0]
    for i in range(1, len(places)):
        needed = (widths[i] + widths[chosen[-1]]) / 2 + GAP * size
        if along[i] - along[chosen[-1]] >= needed:
            chosen.append(i)
    return places[chosen]


def _points(ax, places):
    """Positions along the axis, in points."""
    along = ax.transData.transform(np.column_stack([places, np.zeros(len(places))]).astype(float))[:, 0]
    return along / ax.figure.dpi * 72


def _round(recorded_at):
    """The first record, and 1, 2, 5, 10, ... between the second and the last."""
    decades = np.arange(np.floor(np.log10(recorded_at[1])), np.ceil(np.log10(recorded_at[-1])) + 1)
    numbers = (10.0 ** decades[:, None] * [1, 2, 5]).ravel()
    return np.concatenate(
        [recorded_at[:1], numbers[(numbers >= recorded_at[1]) & (numbers <= recorded_at[-1])]]
    )

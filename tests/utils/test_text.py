"""Figures, counts and lists in words."""

import numpy as np
import pytest

from sklearn_nndyn.utils.text import (
    capital,
    counted,
    epoch_words,
    figure,
    in_words,
    listed,
    percent,
    points,
    range_of,
    shown,
)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (figure(0.012345), "0.0123"),
        (figure(999.4), "999"),
        (figure(999.5), "1,000"),
        (figure(-12345.6), "-12,346"),
        (figure(np.nan), "nan"),
        (epoch_words(np.float64(60)), "60"),
        (epoch_words(8 / 9), "0.889"),
        (epoch_words(1234), "1,234"),
        (percent(0.1234), "12.3 %"),
        (percent(1), "100 %"),
        (percent(0.9994), "99.9 %"),
        (percent(59_997 / 60_000), "99.995 %"),
        (percent(1 - 1e-6), "99.9999 %"),
        (points(-0.0), "0 points"),
        (points(0.0123), "1.2 points"),
        (counted(1, "class", "es"), "1 class"),
        (counted(0, "class", "es"), "0 classes"),
        (counted(1797, "sample"), "1,797 samples"),
        (range_of(np.array([4, 4])), "4"),
        (range_of([1200, 7]), "7 to 1,200"),
        (in_words(["radius"]), "radius"),
        (in_words(["radius", 2]), "radius and 2"),
        (in_words("abc", "or"), "a, b or c"),
        (listed(["log", None, 2]), "'log', None, 2"),
        (listed(range(30), 2), "0, 1, ..."),
        (shown(np.arange(7)), "0, 1, 2, 3, 4, ..., 6"),
        (shown(np.array([0.5, 1.0])), "0.5, 1.0"),
        (capital("the mean"), "The mean"),
        (capital(""), ""),
    ],
)
def test_one_form_for_all(made, wanted):
    assert made == wanted

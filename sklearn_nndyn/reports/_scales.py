"""Scales of axes: the place of a value, 0 to 1, and the ticks."""

from dataclasses import dataclass

import numpy as np

from sklearn_nndyn.utils.text import figure

DEEPEST = 1e-6  # a logarithmic axis goes no deeper below its greatest value


@dataclass(frozen=True)
class LinearScale:
    """Equal steps for equal differences."""

    low: float
    high: float

    @classmethod
    def padded(cls, low, high):
        """Add a little space above, and below where that does not begin at zero."""
        padding = 0.06 * ((high - low) or abs(high) or 1.0)
        return cls(low if low == 0 else low - padding, high + padding)

    def place(self, values):
        """Share of the axis."""
        return (np.asarray(values, dtype=float) - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self, most):
        """(place, words) of round values."""
        step = round_step((self.high - self.low) / most) if self.high > self.low else 1.0
        values = np.arange(np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9) + 1) * step
        return [(float(self.place(value)), tick_words(value, step)) for value in values]


@dataclass(frozen=True)
class LogScale:
    """Equal steps for equal ratios; what lies below ``low`` is drawn at the floor."""

    low: float
    high: float

    @classmethod
    def of(cls, values):
        """From the least positive of the values, but no deeper than a millionth of the greatest."""
        high = values.max()
        return cls(max(values[values > 0].min(), DEEPEST * high) / 1.15, high * 1.15)

    def place(self, values):
        """Share of the axis."""
        values = np.asarray(values, dtype=float)
        return np.log(np.maximum(values, self.low) / self.low) / np.log(self.high / self.low)

    def ticks(self, most):
        """(place, words) of powers of ten, and of 2 and 5 between them where there are few."""
        low, high = np.floor(np.log10(self.low)), np.ceil(np.log10(self.high))
        powers = 10.0 ** np.arange(low, high + 1, max(1, (high - low) // most))
        values = np.sort(np.outer(powers, (1, 2, 5)).ravel()) if high - low <= 2 else powers
        shown = values[(values >= self.low) & (values <= self.high)]
        return [(float(self.place(value)), figure(value)) for value in shown]


@dataclass(frozen=True)
class UpdateScale:
    """Counts of updates, 0 and powers of two at equal distances."""

    low: float
    high: float

    def place(self, values):
        """Share of the axis."""
        return np.log1p(np.asarray(values, dtype=float)) / (np.log1p(self.high) or 1.0)

    def ticks(self, most):
        """(place, words) of zero and of powers of two."""
        exponents = np.arange(np.ceil(np.log2(max(self.high, 1))) + 1)
        powers = 2.0 ** exponents[:: max(1, -(-len(exponents) // most))]
        values = [0.0, *(power for power in powers if power <= self.high)]
        return [(float(self.place(value)), figure(value)) for value in values]


def round_step(least):
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)))


def tick_words(value, step):
    """As many decimals as tell two ticks apart."""
    decimals = max(0, int(-np.floor(np.log10(step) + 1e-9)))
    return f"{value + 0.0:,.{decimals}f}"

"""From the majority to a few: what share of the loss, or of the gradient, the worst samples carry."""

import numpy as np

from sklearn_nndyn.analyzers import worst_shares
from sklearn_nndyn.displays._style import COLOURS, panels, title_over_legend
from sklearn_nndyn.displays.learning_phases._record_axis import look_axis, looks_of
from sklearn_nndyn.dynamics import find_record

# From the fewest to the most samples; the dashes tell them apart where colours do not.
LOOKS = [
    {"color": COLOURS["black"], "linestyle": "-"},
    {"color": COLOURS["blue"], "linestyle": (0, (5, 1.5))},
    {"color": COLOURS["vermillion"], "linestyle": (0, (6, 1.5, 1.5, 1.5))},
    {"color": COLOURS["orange"], "linestyle": (0, (1.5, 1.5))},
]
NAMES = {"loss": "the total loss", "gradient_norm": "all gradient norms"}


class WorstSharesDisplay:
    """The share of the total that the worst samples carry, over training.

    Parameters
    ----------
    looks : array of shape (n_epochs,)
        Iterations or epochs.
    carried : array of shape (n_epochs, n_shares)
        Share of the total that the worst carry, 0 to 1.
    shares : sequence of n_shares float
        How large a share of the samples these worst are; four at most.
    of : {"loss", "gradient_norm"}, default="loss"
        The total of what.
    unit : {"iteration", "epoch"}, default="iteration"
        What ``looks`` count.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    ax_ : matplotlib Axes
        What was drawn on.
    lines_ : list of n_shares matplotlib Line2D
        The curves.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn import Dynamics
    >>> from sklearn_nndyn.displays import WorstSharesDisplay
    >>> record = Dynamics(y=[0, 1, 1, 0], classes=[0, 1], epochs=[0, 1], loss=[[1.0, 0.0], [1, 0], [1, 3], [1, 1]])
    >>> display = WorstSharesDisplay.from_dynamics(record, shares=(0.25, 0.5)).plot()
    >>> display.ax_.get_ylabel()
    'share of the total loss (%)'
    >>> plt.close(display.figure_)
    """

    def __init__(self, looks, carried, shares, *, of="loss", unit="iteration"):
        self.looks = looks
        self.carried = carried
        self.shares = shares
        self.of = of
        self.unit = unit

    @classmethod
    def from_dynamics(cls, dynamics, *, of="loss", shares=(0.01, 0.05, 0.1)):
        """Compute the shares of a record: over iterations where they were counted, else over epochs.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            Of a model the training record is read.
        of : {"loss", "gradient_norm"}, default="loss"
            Loss of each sample, or norm of its gradient.
        shares : sequence of float, default=(0.01, 0.05, 0.1)
            Shares of the samples, above 0 and up to 1.

        Returns
        -------
        display : WorstSharesDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``worst_shares``; also a ValueError if losses are negative, for shares of their total have no meaning.
        """
        carried = worst_shares(dynamics, of=of, shares=shares)
        if np.isnan(carried).any():
            raise ValueError("Losses are negative in part: shares of their total have no meaning.")
        record, _ = find_record(dynamics, (of,), "train")
        looks, unit = looks_of(record.epochs, record.iterations)
        return cls(looks, carried, shares, of=of, unit=unit)

    def plot(self, ax=None):
        """Draw a curve for each share of the samples.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure, as wide as a column.

        Returns
        -------
        self : WorstSharesDisplay
            With ``figure_``, ``ax_`` and ``lines_``.

        Raises
        ------
        ValueError
            If ``ax`` is not one axes, or there are more than four shares.
        """
        if len(self.shares) > len(LOOKS):
            raise ValueError(f"shares: there is room for {len(LOOKS)}, got {len(self.shares)}.")
        with panels(ax, 1, width=3.4) as (self.ax_,):
            self.figure_ = self.ax_.figure
            self.lines_ = [
                self._draw(*each)
                for each in zip(self.shares, np.transpose(self.carried), LOOKS, strict=False)
            ]
            self.ax_.set(ylabel=f"share of {NAMES[self.of]} (%)", ylim=(0, 103), yticks=range(0, 101, 20))
            look_axis(self.ax_, np.asarray(self.looks), self.unit)
            title_over_legend(self.ax_, "What the worst of the samples carry", self.lines_)
        return self

    def _draw(self, share, carried, look):
        dots = {"marker": "o", "markersize": 3} if len(self.looks) == 1 else {}
        return self.ax_.plot(self.looks, 100 * carried, label=f"{100 * share:g} %", **look, **dots)[0]

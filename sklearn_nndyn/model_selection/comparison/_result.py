"""What a comparison of losses measured: the table of runs, intervals, ranks and pictures.

Longer than 300 lines: half of them document what the user reads.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.displays import LossComparisonDisplay, NoiseRobustnessDisplay
from sklearn_nndyn.model_selection.comparison._findings import comparison_findings
from sklearn_nndyn.model_selection.comparison._runs import OUTCOMES
from sklearn_nndyn.model_selection.comparison._statistics import compare_with_best, hold
from sklearn_nndyn.model_selection.comparison._summary import comparison_summary
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.statistics import interval
from sklearn_nndyn.utils.validation import check_choice

LEAST_SEEDS = 3  # of an interval
PICTURES = ("curves", "multiples", "noise")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LossComparison(ShortRepr):
    """Result of ``compare_losses``: R runs, one for each loss, noise level and seed, of E epochs each.

    Parameters
    ----------
    losses : tuple of str
        Names, in the order asked for.
    label_noise, input_noise : tuple of float
        Levels.
    seeds : tuple of int
        Seeds of the runs.
    epochs : array of shape (E,)
        Epochs, from 0 to the last.
    stretch : tuple of two int
        First and last epoch of the stretch that learning speed is the mean accuracy of.
    runs : dict of str to array of shape (R,)
        ``"loss"``, ``"label_noise"``, ``"input_noise"``, ``"seed"``, ``"lr"``; and of each run ``"learning_speed"``,
        mean test accuracy over the stretch; ``"final_accuracy"`` and ``"best_accuracy"`` on the test samples;
        ``"train_accuracy"`` at the end, against the labels that were given, noise included; ``"tail_share"``, the
        share of the total test loss on the worst 1 % at the end (nan where losses are negative in part); and
        ``"inversion_error"``, eps* (nan where classes do not mix again). ``"ended"`` says why a run ended early:
        ``"diverged"``, ``"interrupted"``, or the error that ended it; it is empty for all others. A run that diverged
        has the accuracy that it had before; one that failed or was interrupted has nan in the columns from
        ``"learning_speed"`` on.
    train_accuracy, test_accuracy : array of shape (R, E)
        Accuracy of each run at each epoch, from epoch 0; nan after its last whole epoch.
    tried : tuple of float, default=()
        Learning rates that the tuning tried; empty where they were given.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn_nndyn import DynamicsClassifier, compare_losses
    >>> X, X_test, y, y_test = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> clf = DynamicsClassifier(lr=0.01, max_epochs=5)
    >>> found = compare_losses(
    ...     clf, X, y, losses=["log", "l2"], seeds=2, learning_rates="fixed", X_test=X_test, y_test=y_test
    ... )
    >>> found.runs["loss"].tolist(), found.test_accuracy.shape
    (['log', 'log', 'l2', 'l2'], (4, 6))
    """

    losses: tuple
    label_noise: tuple
    input_noise: tuple
    seeds: tuple
    epochs: np.ndarray
    stretch: tuple
    runs: dict
    train_accuracy: np.ndarray
    test_accuracy: np.ndarray
    tried: tuple = ()

    @property
    def tuned(self) -> bool:
        """Whether learning rates were tuned."""
        return len(self.tried) > 0

    def select(self, **values: Any) -> np.ndarray:
        """Positions of the runs with these values, such as ``loss="log", label_noise=0.2``.

        Parameters
        ----------
        **values : {name of a column of ``runs``: value}
            What the runs have in these columns.

        Returns
        -------
        positions : array of int of shape (n_chosen,)
            Rows of ``runs``.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        unknown = set(values) - set(self.runs)
        if unknown:
            raise ValueError(
                f"Unknown columns {', '.join(sorted(unknown))}; there are {', '.join(self.runs)}."
            )
        chosen = np.ones(len(self.test_accuracy), dtype=bool)
        for name, value in values.items():
            chosen &= self.runs[name] == value
        return np.flatnonzero(chosen)

    def intervals(
        self,
        outcome: str = "final_accuracy",
        *,
        label_noise: float | None = None,
        input_noise: float | None = None,
    ) -> list[tuple[str, float, float]]:
        """Mean and 95 % interval over the seeds, for each loss, the greatest first.

        Parameters
        ----------
        outcome : str, default="final_accuracy"
            A column of ``runs`` from ``"learning_speed"`` to ``"inversion_error"``.
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        rows : list of tuple (loss, mean, half width)
            Half widths by Student's t; nan for fewer than three seeds, of which there is none that says anything.

        Raises
        ------
        ValueError
            If there is no such outcome or level.
        """
        rows = [
            (loss, *interval(values, LEAST_SEEDS))
            for loss, values in self._values(outcome, label_noise, input_noise).items()
        ]
        return sorted(rows, key=lambda row: -np.nan_to_num(row[1], nan=-np.inf))

    def ranks(
        self,
        outcome: str = "final_accuracy",
        *,
        label_noise: float | None = None,
        input_noise: float | None = None,
    ) -> list[tuple[str, int, float, float]]:
        """Each loss against the best one, by a paired test over the seeds.

        Parameters
        ----------
        outcome : str, default="final_accuracy"
            A column of ``runs`` from ``"learning_speed"`` to ``"inversion_error"``; the greatest counts as the best.
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        rows : list of tuple (loss, rank, difference, p_value)
            Best first: rank from 1, the same for equal means; mean difference from the best over the seeds; and the p
            value of a paired t test against the best, after Holm: whether this loss could be the best after all. It
            is nan for the best itself and where there are no two seeds in common.

        Raises
        ------
        ValueError
            If there is no such outcome or level.
        """
        return compare_with_best(self._values(outcome, label_noise, input_noise))

    def learning_curves(
        self, *, label_noise: float | None = None, input_noise: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Test accuracy over the epochs, mean and 95 % interval over the seeds, for each loss.

        Parameters
        ----------
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        mean, half : array of shape (n_losses, E)
            In the order of ``losses``; half widths are nan for fewer than three seeds. A run that diverged stays where
            it was; one that failed does not count.

        Raises
        ------
        ValueError
            If there is no such level.
        """
        noise = self._level(label_noise, input_noise)
        curves = hold(self.test_accuracy)
        curves[np.isnan(self.runs["final_accuracy"])] = np.nan
        each = [interval(curves[self.select(loss=loss, **noise)], LEAST_SEEDS) for loss in self.losses]
        mean, half = (np.array(parts) for parts in zip(*each, strict=True))
        return mean, half

    def plot(
        self,
        kind: str | None = None,
        ax: Any = None,
        *,
        label_noise: float | None = None,
        input_noise: float | None = None,
    ) -> LossComparisonDisplay | NoiseRobustnessDisplay:
        """Draw what was found.

        Parameters
        ----------
        kind : {"curves", "multiples", "noise"}, default=None
            Learning curves, in one panel or with a panel for each loss; or accuracy against noise. None is
            ``"noise"`` where there are several levels of one kind of noise and none is chosen, and else ``"curves"``.
        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on; None makes a new figure.
        label_noise, input_noise : float, default=None
            The noise level of the learning curves, or of the noise that is not on the axis; None is the first.

        Returns
        -------
        display : LossComparisonDisplay or NoiseRobustnessDisplay
            Drawn.

        Raises
        ------
        ValueError
            If there is no such kind or level; or for ``"noise"`` without several levels.
        """
        check_choice("kind", kind, (None, *PICTURES))
        axis = self._noise_axis(label_noise, input_noise)
        if kind == "noise" or (kind is None and axis is not None):
            noise = {"label_noise": label_noise, "input_noise": input_noise}
            given: dict[str, Any] = {name: level for name, level in noise.items() if level is not None}
            return NoiseRobustnessDisplay.from_comparison(self, noise=axis, **given).plot(ax)
        display = LossComparisonDisplay.from_comparison(
            self, label_noise=label_noise, input_noise=input_noise
        )
        return display.plot(ax, kind="multiples" if kind == "multiples" else "together")

    def _noise_axis(self, label_noise, input_noise):
        """The noise of which there are several levels and no one is chosen."""
        for name, level in (("label_noise", label_noise), ("input_noise", input_noise)):
            if level is None and len(getattr(self, name)) > 1:
                return name
        return None

    def _values(self, outcome, label_noise, input_noise):
        """{loss: outcome for each seed} at a noise level."""
        check_choice("outcome", outcome, OUTCOMES)
        noise = self._level(label_noise, input_noise)
        return {loss: self.runs[outcome][self.select(loss=loss, **noise)] for loss in self.losses}

    def _level(self, label_noise, input_noise):
        """{kind of noise: level}, the first where None."""
        noise = {}
        for name, level in (("label_noise", label_noise), ("input_noise", input_noise)):
            known = getattr(self, name)
            noise[name] = known[0] if level is None else level
            check_choice(name, noise[name], known)
        return noise

    def to_frame(self) -> Any:
        """One row for each run and epoch, as a pandas data frame.

        Returns
        -------
        frame : pandas.DataFrame
            R E rows: the columns of ``runs`` (``"train_accuracy"`` of which is called ``"final_train_accuracy"``), and
            ``"epoch"``, ``"train_accuracy"``, ``"test_accuracy"``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError('to_frame needs pandas: pip install "sklearn-nndyn[frames]"') from error

        n_epochs = len(self.epochs)
        columns = {
            "final_train_accuracy" if name == "train_accuracy" else name: np.repeat(values, n_epochs)
            for name, values in self.runs.items()
        }
        columns["epoch"] = np.tile(self.epochs, len(self.test_accuracy))
        columns["train_accuracy"], columns["test_accuracy"] = (
            self.train_accuracy.ravel(),
            self.test_accuracy.ravel(),
        )
        return pd.DataFrame(columns)

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """CL1 to CL4: whether one loss surely learns fastest, ends best, and is best under noise of either kind."""
        return comparison_findings(self)

    def summary(self) -> str:
        """The findings in words: the verdicts first, then what to do next, then what was compared.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.
        """
        return comparison_summary(self)

"""Which loss to train with: all of them tried on the user's own data and network, fairly.

Longer than 300 lines: more than half of them document what the user sees, where it is defined.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning

from sklearn_nndyn.displays import LossComparisonDisplay, NoiseRobustnessDisplay
from sklearn_nndyn.model_selection.comparison._checks import check_comparison
from sklearn_nndyn.model_selection.comparison._runs import (
    OUTCOMES,
    RunSettings,
    columns_of,
    empty_run,
    train_all,
    tune,
)
from sklearn_nndyn.model_selection.comparison._statistics import compare_with_best, hold
from sklearn_nndyn.model_selection.comparison._summary import comparison_summary, ended_runs
from sklearn_nndyn.utils.statistics import interval
from sklearn_nndyn.utils.validation import check_choice
from sklearn_nndyn.utils.warnings import warn_user

PICTURES = ("curves", "multiples", "noise")


@dataclass(frozen=True, kw_only=True, eq=False)
class LossComparison:
    """What ``compare_losses`` measured: R runs, one for each loss, noise level and seed, of E epochs each.

    Parameters
    ----------
    losses : tuple of str
        Names, in the order asked for.
    label_noise, input_noise : tuple of float
        Levels.
    seeds : tuple of int
        Of the runs.
    epochs : array of shape (E,)
        From 0 to the last.
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
        Of each run at each epoch, from epoch 0; nan after its last whole epoch.
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
    def tuned(self):
        """Whether learning rates were tuned."""
        return len(self.tried) > 0

    def select(self, **values):
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

    def intervals(self, outcome="final_accuracy", *, label_noise=None, input_noise=None):
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
            Half widths by Student's t; nan for a single seed.

        Raises
        ------
        ValueError
            If there is no such outcome or level.
        """
        rows = [
            (loss, *interval(values))
            for loss, values in self._values(outcome, label_noise, input_noise).items()
        ]
        return sorted(rows, key=lambda row: -np.nan_to_num(row[1], nan=-np.inf))

    def ranks(self, outcome="final_accuracy", *, label_noise=None, input_noise=None):
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

    def learning_curves(self, *, label_noise=None, input_noise=None):
        """Test accuracy over the epochs, mean and 95 % interval over the seeds, for each loss.

        Parameters
        ----------
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        mean, half : array of shape (n_losses, E)
            In the order of ``losses``. A run that diverged stays where it was; one that failed does not count.

        Raises
        ------
        ValueError
            If there is no such level.
        """
        noise = self._level(label_noise, input_noise)
        curves = hold(self.test_accuracy)
        curves[np.isnan(self.runs["final_accuracy"])] = np.nan
        each = [interval(curves[self.select(loss=loss, **noise)]) for loss in self.losses]
        return tuple(np.array(parts) for parts in zip(*each, strict=True))

    def plot(self, kind=None, ax=None, *, label_noise=None, input_noise=None):
        """Draw what was found.

        Parameters
        ----------
        kind : {"curves", "multiples", "noise"}, default=None
            Learning curves, in one panel or with a panel for each loss; or accuracy against noise. None is
            ``"noise"`` where there are several levels of one kind of noise and none is chosen, and else ``"curves"``.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw; None makes a new figure.
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
            given = {name: level for name, level in noise.items() if level is not None}
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

    def to_frame(self):
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

    def summary(self):
        """What was found, in words and with the figures of these runs.

        Returns
        -------
        text : str
            A paragraph.
        """
        return comparison_summary(self)


def compare_losses(
    estimator,
    X,
    y,
    *,
    losses=None,
    label_noise=(0,),
    input_noise=(0,),
    seeds=5,
    X_test,
    y_test,
    learning_rates="tuned",
    lr_factors=(0.1, 0.3, 1, 3, 10),
    tuning_runs=3,
    held_out=0.2,
    stretch=0.1,
):
    """Train one network with many losses, and compare: speed of learning, accuracy, and what noise does to them.

    Parameters
    ----------
    estimator : DynamicsClassifier
        The network and how it is trained. Its loss, seed, record and snapshots are set here, and all runs have all
        epochs: early stopping and its own validation samples are left out.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Training samples.
    y : array-like of shape (n_samples,)
        Their labels.
    losses : sequence of str or losses, or dict of {name: loss}, default=None
        What ``DynamicsClassifier`` takes as a loss, under their own names or yours; None is the twelve of Janocha and
        Czarnecki.
    label_noise : sequence of float, default=(0,)
        Shares of the training labels drawn anew, uniformly (``corrupt_labels``).
    input_noise : sequence of float, default=(0,)
        Deviations of the Gaussian noise added to the training samples, in the units of ``X`` (``corrupt_inputs``).
    seeds : int or sequence of int, default=5
        Runs of each: a number of them, or their seeds. A seed decides noise, initial weights and the order of the
        batches, the same for all losses.
    X_test, y_test : array-like
        Clean samples to test on, after every epoch.
    learning_rates : "tuned", "fixed" or dict, default="tuned"
        ``"tuned"``: for each loss and noise level the rate that does best on a held-out part of the training data,
        noise included, among the estimator's ``lr`` times ``lr_factors``. ``"fixed"``: the estimator's for all, as in
        the paper. A dict {name of loss: rate}.
    lr_factors : sequence of float, default=(0.1, 0.3, 1, 3, 10)
        The budget of the tuning, the same for each loss and noise level.
    tuning_runs : int, default=3
        Seeds, the first ones, that the tuning is repeated with, each with other samples held out: the mean accuracy
        decides, for that of one run often prefers a rate by chance. As many fits for each rate.
    held_out : float, default=0.2
        Share of the training data that the tuning holds out.
    stretch : float, default=0.1
        Share of the epochs that learning speed leaves out at the start: it is the mean test accuracy over all later
        ones. The paper's is 0.1.

    Returns
    -------
    found : LossComparison
        A row for each run; intervals over seeds, ranks with a paired test, pictures, ``to_frame()``, and ``summary()``
        in words.

    Raises
    ------
    TypeError
        If ``estimator`` is no DynamicsClassifier, or a parameter has no use of its kind.
    ValueError
        For data that cannot be used, or a loss that cannot be computed; an unknown loss (the nearest name is offered),
        two of the same name, a noise level or share out of its range, or at which a class is left without samples, a
        rate that is not positive or missing. Nothing is trained before.

    See Also
    --------
    sklearn_nndyn.BatchedGridSearchCV : Which candidate is best, by cross-validation.
    sklearn_nndyn.displays.LossComparisonDisplay : The learning curves.
    sklearn_nndyn.displays.NoiseRobustnessDisplay : Accuracy against noise.

    Notes
    -----
    Runs of one noise level go through one program, as in ``fit_together``: each is what its own fit would be. Runs of
    the same seed share noise, initial weights and batches, so differences between losses are paired.

    Nothing that was computed is lost. Where training diverges it ends there, as in ``DynamicsClassifier``, and the
    accuracy before counts for all later epochs, with one ``ConvergenceWarning`` for all such runs. A run that fails
    has nan, with a ``FitFailedWarning``, and so has every run that was not finished when the keyboard interrupts.

    Of rates that do as well the one nearest to the estimator's is taken, and one with which training diverges only
    where it does with all. The seeds' interval is one of networks and noise, at the rate that was chosen: it knows
    nothing of what a tuning with other samples would have chosen, nor of other test samples.

    References
    ----------
    Janocha, Czarnecki (2017). On loss functions for deep neural networks in classification. arXiv 1702.05659.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn_nndyn import DynamicsClassifier, compare_losses
    >>> X, X_test, y, y_test = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> clf = DynamicsClassifier(lr=0.01, max_epochs=20)
    >>> found = compare_losses(clf, X, y, losses=["log", "l2"], seeds=3, X_test=X_test, y_test=y_test)
    >>> print(found.summary())
    2 losses, 3 seeds, 20 epochs, ...
    """
    plan = check_comparison(
        estimator,
        losses=losses,
        label_noise=label_noise,
        input_noise=input_noise,
        seeds=seeds,
        learning_rates=learning_rates,
        lr_factors=lr_factors,
        tuning_runs=tuning_runs,
        held_out=held_out,
        stretch=stretch,
    )
    settings = RunSettings.checked(estimator, plan, X, y, X_test, y_test)
    runs = _train_levels(settings, plan)
    columns, train_accuracy, test_accuracy = columns_of(
        [runs.get(place) or empty_run(place, plan) for place in plan.places]
    )
    found = LossComparison(
        losses=tuple(plan.losses),
        label_noise=plan.label_noise,
        input_noise=plan.input_noise,
        seeds=plan.seeds,
        epochs=np.arange(plan.n_epochs + 1),
        stretch=(plan.first, plan.n_epochs),
        runs=columns,
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        tried=plan.tried,
    )
    _warn(found)
    return found


def _train_levels(settings, plan):
    """{place: run} of all that were trained before the end or an interruption."""
    runs = {}
    try:
        for noise in plan.levels:
            rates = tune(settings, plan, noise) if plan.rates is None else plan.rates
            for run in train_all(settings, plan, noise, rates):
                runs[run["loss"], run["label_noise"], run["input_noise"], run["seed"]] = run
    except KeyboardInterrupt:
        if not runs:
            raise
    return runs


def _warn(found):
    """Once for all runs."""
    for kind, description in ended_runs(found).items():
        category = {"diverged": ConvergenceWarning, "failed": FitFailedWarning}.get(kind, UserWarning)
        warn_user(description, category)

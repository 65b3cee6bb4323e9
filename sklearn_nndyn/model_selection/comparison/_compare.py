"""Which loss to train with: all of them tried on the user's own data and network, fairly."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from tqdm import tqdm

from sklearn_nndyn.classifiers import DynamicsClassifier
from sklearn_nndyn.model_selection.comparison._checks import check_comparison
from sklearn_nndyn.model_selection.comparison._result import LossComparison
from sklearn_nndyn.model_selection.comparison._runs import (
    RunSettings,
    columns_of,
    empty_run,
    train_all,
    tune,
)
from sklearn_nndyn.model_selection.comparison._summary import ended_runs
from sklearn_nndyn.utils.networks.evaluation import keeps_modes
from sklearn_nndyn.utils.signals import Terminated
from sklearn_nndyn.utils.validation import check_count, check_n_jobs, is_flag
from sklearn_nndyn.utils.warnings import warn_user


@keeps_modes
def compare_losses(
    estimator: DynamicsClassifier,
    X: ArrayLike,
    y: ArrayLike,
    *,
    losses: Sequence | Mapping[str, Any] | None = None,
    label_noise: Sequence[float] | float = (0,),
    input_noise: Sequence[float] | float = (0,),
    seeds: int | Sequence[int] = 5,
    X_test: ArrayLike,
    y_test: ArrayLike,
    learning_rates: str | Mapping[str, float] = "tuned",
    lr_factors: Sequence[float] | float = (0.1, 0.3, 1, 3, 10),
    tuning_runs: int = 3,
    held_out: float = 0.2,
    stretch: float = 0.1,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> LossComparison:
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
    n_jobs : int, default=None
        Workers of joblib, among which the runs are shared out, as in ``fit_together``; -1 is as many as there are
        processors. None is 1, or what ``joblib.parallel_config`` says.
    verbose : int, default=0
        1 shows a progress bar over the epochs of all fits, those of the tuning included.

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
    has nan, with a ``FitFailedWarning``, and so has every run that was not finished when the keyboard
    interrupts. SIGTERM, which the program does not handle, ends it with a KeyboardInterrupt.

    Of rates that do as well the one nearest to the estimator's is taken, and one with which training diverges only
    where it does with all. The seeds' interval is one of networks and noise, at the rate that was chosen: it knows
    nothing of what a tuning with other samples would have chosen, nor of other test samples.

    Accuracy is compared, which no scaling of the scores changes. The probabilities are another matter: of these losses
    only ``"log"`` and ``"regularized_expectation"`` are proper, so those of the others are not calibrated:
    ``"focal"``, ``"squared_log"`` and ``"cauchy_schwarz"`` leave the most probable class 0.16, 0.15 and 0.12 below the
    accuracy, ``"expectation"`` 0.11 above it (held-out images); the hinges, ``"l1"`` and ``"l2"`` have none. A network
    chosen here is calibrated by ``CalibratedClassifierCV(clf, method="temperature")`` of scikit-learn.

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
    log learns fastest, ...
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
    check_count("verbose", int(verbose) if is_flag(verbose) else verbose, 0)
    check_n_jobs(n_jobs)
    settings = RunSettings.checked(estimator, plan, X, y, X_test, y_test, n_jobs)
    with tqdm(
        total=plan.all_epochs, desc="Losses", unit="epoch", disable=not verbose, dynamic_ncols=True
    ) as bar:
        runs = _train_levels(settings, plan, bar.update)
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


def _train_levels(settings, plan, progress):
    """{place: run} of all that were trained before the end or an interruption."""
    runs = {}
    try:
        for noise in plan.levels:
            rates = tune(settings, plan, noise, progress) if plan.rates is None else plan.rates
            for run in train_all(settings, plan, noise, rates, progress):
                runs[run["loss"], run["label_noise"], run["input_noise"], run["seed"]] = run
    except KeyboardInterrupt as interrupt:
        if not runs or isinstance(interrupt, Terminated):
            raise
    return runs


def _warn(found):
    """Once for all runs."""
    for kind, description in ended_runs(found).items():
        category = {"diverged": ConvergenceWarning, "failed": FitFailedWarning}.get(kind, UserWarning)
        warn_user(description, category)

"""Learning phases: when a layer keeps its input as ever, more and more, and less again.

A long file of short methods: most of it says what is measured, and what it means.
"""

from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers._base import RecordAnalyzer
from sklearn_nndyn.analyzers._runs import find_runs
from sklearn_nndyn.analyzers.learning_phases._chance import chance_changes
from sklearn_nndyn.analyzers.learning_phases._checks import (
    check_epochs,
    check_tolerance,
    find_layer_of_runs,
    reconstruction_of,
)
from sklearn_nndyn.analyzers.learning_phases._findings import learning_phase_findings, learning_phase_source
from sklearn_nndyn.analyzers.learning_phases._phases import (
    LearningPhases,
    before_pronounced_rise,
    clear_turn,
    find_phases,
    first_rise,
    interval_of_change,
)
from sklearn_nndyn.analyzers.sample_scores import epoch_learned
from sklearn_nndyn.dynamics import check_dynamics
from sklearn_nndyn.utils.statistics import correlation_over_runs, standard_error

COLUMNS = (
    "reconstruction_at_start",
    "reconstruction_at_lowest",
    "reconstruction_at_end",
    "reconstruction_rise",
    "own_lowest_epoch",
)


class LearningPhaseAnalyzer(RecordAnalyzer):
    """When a layer stops keeping its input: three phases of how well the input can be given back from it.

    Measure how well a linear decoder gives the input back from a layer's activations. Schneider (2022) finds that its
    error first falls, as the network learns what the samples have in common, and later rises, while the loss of a few
    samples is being reduced; Schneider and Prabhushankar (2024) find three phases, near constant, falling and rising,
    and that pre-training for transfer should stop well before the classifier itself is best. Here is what your own
    record says.

    Parameters
    ----------
    layer : int or str, default=-1
        Hidden layer: position among those that inputs were given back from, in the order of the forward pass, or
        name. -1 is the last. ``"scores"`` are the raw outputs, where they were recorded so.
    tolerance : float, default=0.05
        How far from a value the curve still counts as near it, as a share of its fall.

    Attributes
    ----------
    source_ : str
        Source of the data: ``"the validation record of the model"``, the training record, a record, or so many runs.
    layer_ : str
        Name of the layer.
    classes_ : array of shape (n_classes,)
        The classes.
    epochs_ : array of shape (n_epochs,)
        Recorded epochs; one within an epoch stands at a fraction.
    iterations_ : array of shape (n_epochs,) or None
        Updates of the weights before each of them; None where a run did not count them.
    n_features_in_ : int
        Number of recorded epochs.
    reconstruction_curve_ : array of shape (n_epochs,)
        R: squared error of giving the input back, mean over its features, the samples, and the runs; in squared units
        of the input.
    reconstruction_error_ : array of shape (n_epochs,)
        Its standard error: over the runs; over the samples where there is one run.
    run_curves_ : array of shape (n_runs, n_epochs)
        R of each run, n_runs of them.
    phases_ : LearningPhases
        Which phases there are and where they begin and end, in epochs and in iterations, of the mean curve and of
        each run.
    first_rise_epoch_ : float, int or None
        Epoch of a peak above the start, where the curve clearly rises to it first, and clearly falls from it.
    lowest_ : int
        Position in ``epochs_`` of the least R.
    lowest_epoch_ : float or int
        The epoch.
    turning_epoch_, turning_iteration_ : float, int or None
        The same where R turns, with a second and a third phase; else None.
    stop_epochs_, stop_iterations_ : tuple of two numbers, or None
        The turn, and the last epoch at which less than half of the fall has been given back: between them, pre-training
        for transfer may well stop. None without a turn.
    fall_, rise_ : float
        R(0) - R(m) and R(end) - R(m), of the first, the lowest and the last recorded epoch.
    fall_error_, rise_error_ : float
        Their standard errors: over the runs; over the samples where there is one run.
    fall_interval_, rise_interval_ : tuple of two floats, or None
        95 % intervals of them: over the runs, by the noise they have about their mean; over the samples of one run by
        Student's t, and None for fewer than three.
    chance_ : dict of str to float
        What ``"fall"``, ``"rise"`` and ``"first_rise"``, above the start, exceed by chance in one of twenty curves, of
        one run in less than one of ten; inf for one run of fewer than nine epochs, which cannot tell.
    class_curves_ : array of shape (n_classes, n_epochs)
        R of the samples of each class, mean over the runs; nan for a class without samples.
    class_turning_epochs_ : array of shape (n_classes,)
        Turn of each; nan for none.
    probe_curve_ : array of shape (n_epochs,) or None
        Accuracy of a fresh linear classifier on the layer, mean over the runs; None where a run has not recorded it.
    accuracy_curve_ : array of shape (n_epochs,) or None
        Accuracy of the network on the same samples, mean over the runs; None where a run has no predictions.
    rise_learning_correlation_ : float or None
        Spearman's rank correlation, over the samples, of the rise of a sample's reconstruction error from
        ``lowest_epoch_`` to the end, and the epoch from which it stays correct; mean over the runs. nan where all
        samples share a value, as where R is least at the end; None where a run has no predictions.
    rise_learning_interval_ : array of shape (2,) or None
        A 95 % interval for it: over the samples, or over the runs where there are several.
    run_correlations_ : array of shape (n_runs,) or None
        The correlation in each run.
    findings_ : tuple of Finding
        LP1 to LP5: whether R falls, whether it rises in the end, whether it stays near its start at first, whether the
        samples learned later get worse by more, and whether R rises above its start first.

    See Also
    --------
    worst_shares : How few samples carry the loss, or the gradient.
    sklearn_nndyn.displays.LearningPhaseDisplay : The picture of it.
    sklearn_nndyn.displays.ReconstructedImagesDisplay : What is given back, as pictures.

    Notes
    -----
    With R(t) at the recorded epoch t, and m the turning epoch, of least R: the first phase, near
    constant, ends at the first t with R(t) < R(0) - tolerance (R(0) - R(m)); the second, falling, at m; the third,
    rising, starts at the last t with R(t) < R(m) + tolerance (R(0) - R(m)), or at which R is least. The second phase
    is there if R(0) > R(m), and the third if R(end) > R(m), each by more than two standard errors, of the differences
    within each run, over the runs, with an interval above 0, and by more than chance gives. In addition the first is
    there only if an epoch after the start is still near it and none before the fall is clearly above it, and the
    third only if R is no longer near its least value at the end, and does not fall from a peak until then. The rule
    and its figures are our own; nothing is smoothed. "R(0)" is the first recorded epoch: record epoch 0.

    Chance: m is chosen for its low R, so a fall and a rise are set against the 95 % quantiles of those of 2,000 curves
    of normal noise in which m is chosen likewise, with the variance and the correlation from epoch to epoch that the
    runs have about their mean. Give ``fit`` a list of runs with other seeds. Of one run alone, the standard errors are
    those of the differences over its samples: they tell of other samples and not of other seeds; and chance is how far
    a fall, or a rise, goes in wandering curves (each value .9 of the one before, and noise) of such noise as the third
    differences of this one show: what both exceed together in one of twenty such curves, and else what either exceeds
    alone in three of a hundred. Fewer than nine epochs do not show it, and no phase is told.

    The correlation asks whether the samples whose reconstruction gets worse are the ones learned last. Samples never
    learned (wrong at the end) rank behind all others. Near 1, the layer gives up what it knew of the samples it is
    still learning; near 0, it gives it up of all alike; near -1, of the samples that it knew first. It is a correlation
    of ranks within a run, and no cause. Its interval follows Bonett and Wright (2000) for one run, and Student's t over
    several.

    Where to stop pre-training: in the authors' run on CIFAR-10 R was least at iteration 128, transfer best at 1024, and
    the network's own accuracy at 8192. So the turn is the earliest sensible stop, not the best one; the best lay
    between it and the pronounced rise, which we take to begin when half of the fall has been given back (after 1024 in
    that run). ``stop_epochs_`` is this range. It rests on one run: check it on data of your own transfer task.

    ``transform`` has a row for each sample: its reconstruction error at the start, at ``lowest_epoch_`` and at the end;
    the rise between the last two; the epoch of its own least error; and where the analyzer was fitted with predictions
    ``epoch_learned``, the first recorded epoch from which it stays correct, nan where it is wrong at the end.

    References
    ----------
    Schneider (2022). arXiv 2202.08299. Schneider, Prabhushankar (2024). arXiv 2312.06887.

    Bonett, Wright (2000). Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
    Psychometrika 65, 23-28.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn import Dynamics, LearningPhaseAnalyzer
    >>> curve = np.array([1.0, 0.99, 0.7, 0.5, 0.6, 0.9])
    >>> noise = np.random.default_rng(0).normal(scale=0.01, size=(3, 40, 6))
    >>> runs = [
    ...     Dynamics(
    ...         y=[0, 1] * 20,
    ...         classes=[0, 1],
    ...         epochs=[0, 0.25, 0.5, 1, 2, 4],
    ...         iterations=[0, 2, 4, 8, 16, 32],
    ...         reconstruction={"linear1": curve + own},
    ...     )
    ...     for own in noise
    ... ]
    >>> phases = LearningPhaseAnalyzer().fit(runs)
    >>> phases.phases_
    LearningPhases of 3 runs
      near constant: epochs 0 to 0.5, iterations 0 to 4
      falling: epochs 0.5 to 1, iterations 4 to 8
      rising: epochs 1 to 4, iterations 8 to 32
    >>> phases.turning_iteration_, phases.stop_iterations_
    (8, (8, 16))
    >>> print(phases.summary())
    The reconstruction error of layer linear1, of inputs given back from it, falls by 0.502 ...
    """

    _needs = ("reconstruction",)

    def __init__(self, layer=-1, tolerance=0.05):
        self.layer = layer
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the phases.

        Parameters
        ----------
        X : Dynamics, fitted estimator, or list or tuple of them
            A record; a model, also at the end of a Pipeline, or as the best of a search, of which the validation
            record is read where there is one, else the training record; or several runs of one experiment with other
            seeds, recorded after the same updates.
        y : None, default=None
            Not used; here because scikit-learn's meta-estimators hand it on.

        Returns
        -------
        self : LearningPhaseAnalyzer
            Fitted.

        Raises
        ------
        TypeError
            If ``tolerance`` is no number, or ``X`` can hold no record.
        ValueError
            If there is no run; if a record has no reconstruction, no samples, or fewer than three epochs; if there is
            no such layer (the names are offered); if a value is not finite; if runs have other epochs, iterations,
            classes or layers; or if ``tolerance`` is not between 0 and 1.
        sklearn.exceptions.NotFittedError
            If a model is not fitted.
        """
        check_tolerance(self.tolerance)
        records, source = find_runs(X, self._needs, self._prefers)
        self._read(records[0], reset=True)
        self.source_ = source
        self._set_epochs(records)
        values = [reconstruction_of(record, self.layer_) for record in records]
        self._set_curves(values)
        self._set_phases(values)
        self._set_classes(records, values)
        self._set_accuracies(records)
        self._set_correlation(records, values)
        self.findings_ = tuple(self._findings())
        return self

    def _set_epochs(self, records):
        for record in records:
            check_epochs(record)
        self.layer_ = find_layer_of_runs(self.layer, records)
        self.classes_, self.epochs_ = records[0].classes, records[0].epochs
        counted = all(record.iterations is not None for record in records)
        self.iterations_ = records[0].iterations if counted else None

    def _set_curves(self, values):
        self.run_curves_ = np.array([own.mean(axis=0) for own in values])
        rows = self._rows(values)
        self.reconstruction_curve_ = rows.mean(axis=0)
        self.reconstruction_error_ = np.array([standard_error(column) for column in rows.T])

    def _rows(self, values):
        """What is compared: the runs, or the samples of a single one; (n_rows, n_epochs)."""
        return self.run_curves_ if len(values) > 1 else values[0]

    def _set_phases(self, values):
        rows = self._rows(values)
        positions, exist = find_phases(rows, self.tolerance, one_run=len(values) == 1)
        own = [find_phases(run, self.tolerance, one_run=True) for run in values]
        self.phases_ = LearningPhases(
            epochs=self.epochs_,
            iterations=self.iterations_,
            positions=positions,
            exist=exist,
            run_positions=np.array([run_positions for run_positions, _ in own]),
            run_exist=np.array([run_exist for _, run_exist in own]),
        )
        self.lowest_ = int(positions[1])
        self.first_rise_epoch_, _ = self._at(first_rise(rows, self.tolerance, one_run=len(values) == 1))
        changes = chance_changes(rows, one_run=len(values) == 1)
        self.chance_ = dict(zip(("fall", "rise", "first_rise"), changes, strict=True))
        self._set_turn()
        self._set_sizes(rows)

    def _set_turn(self):
        turns = self.phases_.exist[1:].all()
        self.lowest_epoch_, _ = self._at(self.lowest_)
        self.turning_epoch_, self.turning_iteration_ = self._at(self.lowest_ if turns else None)
        last = self._at(before_pronounced_rise(self.reconstruction_curve_))
        spans = zip(self._at(self.lowest_), last, strict=True)
        self.stop_epochs_, self.stop_iterations_ = (
            span if turns and None not in span else None for span in spans
        )

    def _at(self, position):
        """Epoch and iteration there, each None where it is not known."""
        counts = self.epochs_, self.iterations_
        return tuple(None if position is None or own is None else own[position].item() for own in counts)

    def _set_sizes(self, rows):
        fall, rise = rows[:, 0] - rows[:, self.lowest_], rows[:, -1] - rows[:, self.lowest_]
        self.fall_, self.fall_error_ = float(fall.mean()), standard_error(fall)
        self.rise_, self.rise_error_ = float(rise.mean()), standard_error(rise)
        self.fall_interval_, self.rise_interval_ = (
            interval_of_change(rows, self.lowest_, at, one_run=len(self.run_curves_) == 1)
            for at in (0, len(self.epochs_) - 1)
        )

    def _set_classes(self, records, values):
        self.class_curves_ = np.full((len(self.classes_), len(self.epochs_)), np.nan)
        self.class_turning_epochs_ = np.full(len(self.classes_), np.nan)
        for c in range(len(self.classes_)):
            own = [run[record.target == c] for record, run in zip(records, values, strict=True)]
            own = [run for run in own if len(run)]
            if own:
                rows = own[0] if len(records) == 1 else np.array([run.mean(axis=0) for run in own])
                self.class_curves_[c] = rows.mean(axis=0)
                turn = clear_turn(rows, self.tolerance, one_run=len(records) == 1)
                self.class_turning_epochs_[c] = np.nan if turn is None else self.epochs_[turn]

    def _set_accuracies(self, records):
        probes = [record.probe_accuracy.get(self.layer_) for record in records]
        self.probe_curve_ = (
            None if any(own is None for own in probes) else np.mean(probes, axis=0, dtype=float)
        )
        predicted = all(record.prediction is not None for record in records)
        self.accuracy_curve_ = np.mean([record.accuracy for record in records], axis=0) if predicted else None

    def _set_correlation(self, records, values):
        self.rise_learning_correlation_ = self.rise_learning_interval_ = self.run_correlations_ = None
        if self.accuracy_curve_ is not None:
            rises = [own[:, -1] - own[:, self.lowest_] for own in values]
            found = correlation_over_runs(rises, [learned_or_never(record) for record in records])
            self.run_correlations_, self.rise_learning_correlation_, self.rise_learning_interval_ = found

    def _names(self):
        return COLUMNS if self.accuracy_curve_ is None else (*COLUMNS, "epoch_learned")

    def _columns(self, record):
        values = reconstruction_of(record, self.layer_)
        start, lowest, end = values[:, [0, self.lowest_, -1]].T
        columns = start, lowest, end, end - lowest, self.epochs_[values.argmin(axis=1)]
        columns = dict(zip(COLUMNS, columns, strict=True))
        if self.accuracy_curve_ is not None:
            check_dynamics(record, needs=["prediction"])
            columns["epoch_learned"] = epoch_learned(record.correct, record.epochs)
        return columns

    def _findings(self):
        return learning_phase_findings(self)

    def _source_words(self):
        return learning_phase_source(self)


def learned_or_never(record):
    """Epoch from which each sample stays correct, shape (n_samples,); inf for one that is wrong at the end."""
    learned = epoch_learned(record.correct, record.epochs)
    return np.where(np.isnan(learned), np.inf, learned)

"""Loss tails: why the mean loss rises while accuracy holds.

A long file of short methods: most of it says what is measured, where the user meets it.
"""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_nndyn.analyzers._base import RecordAnalyzer
from sklearn_nndyn.analyzers._curves import rise_beyond_wander
from sklearn_nndyn.analyzers.loss_tails._chance import (
    LEAST_EPOCHS,
    carrier_null,
    gross_rise_share,
)
from sklearn_nndyn.analyzers.loss_tails._checks import check_losses, check_tail, onset_position
from sklearn_nndyn.analyzers.loss_tails._concentration import FRACTIONS, concentration_curve
from sklearn_nndyn.analyzers.loss_tails._curves import QUANTILES, tail_curves
from sklearn_nndyn.analyzers.loss_tails._findings import loss_tail_findings, loss_tail_source
from sklearn_nndyn.analyzers.loss_tails._rise import (
    at_turn,
    carriers,
    crossfitted_turns,
    loss_columns,
    rise_since,
    rising_fractions,
)
from sklearn_nndyn.analyzers.loss_tails._transitions import borderline_test, transition_table, transitions
from sklearn_nndyn.analyzers.loss_tails._turning import name_of_onset
from sklearn_nndyn.dynamics import Dynamics, check_dynamics
from sklearn_nndyn.utils.statistics import between, worst_count

COLUMNS = {
    "loss": ("start_loss", "least_loss", "final_loss", "rise", "least_epoch", "in_tail"),
    "prediction": ("correct_at_turn", "correct_at_end"),
    "margin": ("margin_at_turn", "margin_at_end"),
}


class LossTailAnalyzer(RecordAnalyzer):
    """Which samples make the mean loss rise, how few they are, and whether they are borderline.

    While training goes on, the mean loss of held-out samples often turns upward although accuracy holds. Venter,
    Theunissen and Davel (2021) claim that a small minority of samples carries the rise, that the loss of the
    great majority falls on, and that the minority is not made of borderline samples. Here is what your own record
    says of each.

    Parameters
    ----------
    tail : float, default=0.01
        Share of the samples that make the tail: those of greatest loss at the end.
    onset : "auto", int or float, default="auto"
        The turning epoch, from which the rise is measured: the epoch of least mean loss, or a recorded epoch. With
        ``"auto"`` everything in the attributes that is measured since the turn is cross-fitted: the turn is chosen
        on one half of the samples and used on the other, and the other way round.

    Attributes
    ----------
    source_ : str
        Source of the data: ``"the validation record of the model"``, the training record, a record, or an array.
    loss_name_ : str
        Name of the trained loss; empty where it is not known.
    loss_unit_ : str or None
        Its unit; None where it has none, or it is not known.
    epochs_ : array of shape (n_epochs,)
        Recorded epochs.
    n_features_in_ : int
        Number of recorded epochs.
    feature_names_in_ : array of str of shape (n_epochs,)
        Names of the columns, where losses came as a data frame with names.
    onset_epoch_ : int or float
        The turning epoch: the epoch of least mean loss over all samples, or what was asked for.
    onset_ : int
        Its position in ``epochs_``.
    turn_ : array of int of shape (n_samples,)
        Position in ``epochs_`` of the turning epoch that each sample's rise is measured from: with ``"auto"``, what the
        other half of the samples chose.
    mean_curve_, median_curve_, trimmed_curve_ : array of shape (n_epochs,)
        Over the samples, in the units of the loss; ``trimmed_curve_`` without the lowest and highest 10 %.
    quantiles_ : array of shape (8,)
        0.01 to 0.999.
    quantile_curves_ : array of shape (n_epochs, 8)
        The quantiles of each epoch.
    fractions_ : array of shape (4,)
        Fractions of the samples: 0.001, 0.01, 0.05, 0.1.
    share_curves_ : array of shape (n_epochs, 4)
        Share of the total loss that the worst of these fractions of the samples carry.
    gini_curve_ : array of shape (n_epochs,)
        Gini coefficient of the losses, 0 (all equal) to (n - 1) / n (one carries all).
    concentration_ : array of shape (2, n_samples)
        Share of the total loss that the worst 1, 2, ..., n_samples carry, at the turning epoch and at the end.
    tail_indices_ : array of int
        The samples in the tail, worst first.
    tail_share_curve_ : array of shape (n_epochs,)
        Share of the total loss that the worst ``tail`` carry, whoever they are at that epoch.
    tail_share_ : float
        ``tail_share_curve_[-1]``.
    rise_ : array of shape (n_samples,)
        d_i: loss at the end minus loss at the turning epoch.
    mean_rise_ : float
        Their mean.
    rise_verdict_ : {"yes", "no", "cannot tell"}
        Whether the mean loss rises: the 95 % interval over the samples is above 0, and it rises by more than its wander
        from epoch to epoch would give (``rise_beyond_wander``). ``"no"`` is said only where it is least at the end, or
        has not risen since an epoch that was asked for; of fewer than nine epochs the wander is not known, and a rise
        cannot be told. It is the verdict on this run, not on other seeds.
    onset_name_ : {"turn", "least mean", "onset"}
        What ``onset_epoch_`` is called in pictures: a turn only where ``rise_verdict_`` is ``"yes"``, else the epoch of
        least mean loss, or the onset that was asked for.
    rise_null_ : float
        Rise that chance exceeds in less than one of twenty plateaus, one of ten whose wander lasts; nan for fewer than
        nine epochs.
    rising_fractions_ : dict of float to float
        Fraction of the samples whose loss rose by more than 0, 0.01, 0.1, 1.
    carrier_indices_ : array of int of shape (k,)
        The fewest samples whose rises sum to that of all, greatest rise first; none where the mean does not rise.
    carrier_fraction_ : float
        k / n_samples.
    carrier_null_ : array of shape (3,)
        Median, 2.5 % and 97.5 % quantile of ``carrier_fraction_`` where rises are scattered by chance, see
        ``carrier_null``.
    gross_rise_share_ : float
        Share of all that rose that the 5 % of greatest rise carry; nan where nothing rose.
    transitions_ : dict of str to dict of str to float, or None
        For samples correct (C) or wrong (W) at the turn and at the end, ``"CC"``, ``"CW"``, ``"WC"``, ``"WW"``:
        ``"count"``, ``"rise_sum"``, ``"rise_mean"``, and the medians ``"margin_at_turn"`` and ``"margin_at_end"``.
        None for a record without predictions.
    borderline_ : dict or None
        What ``borderline_test`` gives: ``"verdict"``, the shares of all that rose on either side, and the margin below
        which a sample is near the border. None for a record without predictions and margins.
    findings_ : tuple of Finding
        LT1 to LT4: whether the mean rises, whether a small minority carries the rise, whether the loss of the majority
        falls, and whether the rise is on samples that are wrong by far.

    See Also
    --------
    sklearn_nndyn.displays.LossTailDisplay : The picture of it.

    Notes
    -----
    With losses l_i(t), the turning epoch s and the end T: d_i = l_i(T) - l_i(s); the carriers are the least k with
    d_(1) + ... + d_(k) >= sum_i d_i, greatest first; the Gini coefficient is
    sum_i (2 i - n - 1) l_(i) / (n sum_i l_i) of the ordered losses. Shares of a total are taken above the least
    value of the loss, which the header of a record tells (-1 for ``"tanimoto"``), else 0; they are nan where a loss is
    below it.

    The halves: samples in the order of their loss at the first recorded epoch go to the two in turn. So nothing
    depends on the order of the samples, and the same record gives the same figures.

    ``transform`` measures each row since ``onset_epoch_``, for a new sample is in no half. Its columns are
    ``start_loss``, ``least_loss``, ``final_loss``, ``rise``, ``least_epoch``, ``in_tail``; with predictions also
    ``correct_at_turn``, ``correct_at_end``; with margins ``margin_at_turn``, ``margin_at_end``.

    The questions are those of the paper; the definitions, cross-fitting and the verdict are our own.

    References
    ----------
    Venter, Theunissen, Davel (2021). arXiv 2103.07986.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers import LossTailAnalyzer
    >>> loss = np.tile([1.0, 0.5, 0.25], (200, 1))
    >>> loss[[3, 8], 2] = 60.0
    >>> tails = LossTailAnalyzer().fit(loss)
    >>> tails.onset_epoch_, tails.rising_fractions_[0.0], tails.carrier_indices_
    (1, 0.01, array([3, 8]))
    >>> print(tails.summary())
    The mean loss ends above its least value, ...
    """

    _takes_arrays = True

    def __init__(self, tail=0.01, onset="auto"):
        self.tail = tail
        self.onset = onset

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the turning epoch, the tail, and who carries the rise.

        Parameters
        ----------
        X : Dynamics, fitted estimator, or array of shape (n_samples, n_epochs)
            A record; a model that holds one, also at the end of a Pipeline, or as the best of a search, of which
            the validation record is read where there is one, else the training record; or losses of samples at
            epochs 0, 1, ..., from any other trainer.
        y : None, default=None
            Not used; here because scikit-learn's meta-estimators hand it on.

        Returns
        -------
        self : LossTailAnalyzer
            Fitted.

        Raises
        ------
        TypeError
            If a parameter is of the wrong type, or ``X`` can hold no losses.
        ValueError
            If the record has no losses, or only one epoch; if a loss is not finite; if ``tail`` is not between 0
            and 1; or if ``onset`` is not a recorded epoch before the last.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        return super().fit(X, y)

    def _from_array(self, X, reset):
        if isinstance(X, np.ndarray | list | tuple) and np.ndim(X) != 2:
            raise ValueError(
                f"Losses have a row for each sample and a column for each epoch, but this has shape {np.shape(X)}. "
                "Reshape your data to (n_samples, n_epochs)."
            )
        if not reset and self.transitions_ is not None:
            raise ValueError(
                "The analyzer was fitted on a record with predictions; an array of losses has none. Give transform "
                "a record, or fit on the array."
            )
        dtypes = [np.float64, np.float32]
        loss = validate_data(self, X, reset=reset, dtype=dtypes, ensure_all_finite=False)
        epochs = np.arange(loss.shape[1]) if reset else self.epochs_
        return Dynamics(y=np.zeros(len(loss), dtype=int), classes=[0], epochs=epochs, loss=loss)

    def _fit(self, record):
        check_tail(self.tail)
        check_losses(record)
        self._set_turn(record, onset_position(self.onset, record.epochs))
        self._set_tail(record)
        self._set_rise(record)
        self._set_transitions(record)

    def _set_turn(self, record, given):
        self.loss_name_, self.loss_unit_ = record.loss_facts.name, record.loss_facts.unit
        self._set_curves(tail_curves(record.loss, (*FRACTIONS, self.tail), record.loss_facts.least))
        self.onset_ = int(self.mean_curve_.argmin()) if given is None else given
        self.onset_epoch_ = record.epochs[self.onset_].item()
        self.turn_ = crossfitted_turns(record.loss) if given is None else np.full(len(record), given)

    def _set_curves(self, curves):
        self.mean_curve_, self.median_curve_, self.trimmed_curve_ = curves.mean, curves.median, curves.trimmed
        self.quantiles_, self.quantile_curves_ = np.array(QUANTILES), curves.quantiles
        self.fractions_, self.share_curves_ = np.array(FRACTIONS), curves.shares[:, :-1]
        self.gini_curve_ = curves.gini
        self.tail_share_curve_ = curves.shares[:, -1]
        self.tail_share_ = float(self.tail_share_curve_[-1])

    def _set_tail(self, record):
        least = record.loss_facts.least
        final = record.loss[:, -1]
        self.concentration_ = np.array(
            [concentration_curve(record.loss[:, at], least) for at in (self.onset_, -1)]
        )
        worst_first = np.argsort(-final, kind="stable")
        self._tail_threshold = float(final[worst_first[worst_count(self.tail, len(final)) - 1]])
        self.tail_indices_ = worst_first[: np.count_nonzero(final >= self._tail_threshold)]

    def _set_rise(self, record):
        self.rise_ = rise_since(record.loss, self.turn_)
        self.mean_rise_ = float(self.rise_.mean())
        self.rising_fractions_ = rising_fractions(self.rise_)
        self.carrier_indices_ = carriers(self.rise_)
        self.carrier_fraction_ = len(self.carrier_indices_) / len(self.rise_)
        self.carrier_null_ = np.quantile(carrier_null(self.rise_), [0.5, 0.025, 0.975])
        self.gross_rise_share_ = gross_rise_share(self.rise_)
        self.rise_verdict_ = self._verdict()
        self.onset_name_ = name_of_onset(self.rise_verdict_, self.onset)

    def _verdict(self):
        """By the samples, and by the wander of the mean from epoch to epoch; what it cannot tell it does not deny."""
        given = None if self.onset == "auto" else self.onset_
        rise, chance = rise_beyond_wander(self.mean_curve_, given)
        self.rise_null_ = chance if len(self.epochs_) >= LEAST_EPOCHS else np.nan
        ends_least = (
            self.mean_curve_[-1] <= self.mean_curve_[self.onset_]
        )  # also where it has stood still since
        if ends_least if given is None else self.mean_rise_ <= 0:
            return "no"
        samples = between(self.rise_)
        beyond_chance = min(rise, self.mean_rise_) > self.rise_null_
        return "yes" if samples is not None and samples[0] > 0 and beyond_chance else "cannot tell"

    def _set_transitions(self, record):
        self.transitions_ = self.borderline_ = None
        if record.prediction is None:
            return
        correct = record.correct
        transition = transitions(at_turn(correct, self.turn_), correct[:, -1])
        margins = () if record.margin is None else (at_turn(record.margin, self.turn_), record.margin[:, -1])
        self.transitions_ = transition_table(transition, self.rise_, *margins)
        if margins:
            self.borderline_ = borderline_test(transition, self.rise_, margins[1])

    def _fitted_on(self):
        also = {"prediction": self.transitions_, "margin": self.borderline_}
        return ["loss", *(field for field, found in also.items() if found is not None)]

    def _names(self):
        return tuple(name for field in self._fitted_on() for name in COLUMNS[field])

    def _columns(self, record):
        check_losses(record)
        check_dynamics(record, needs=self._fitted_on())
        columns = list(loss_columns(record, self.onset_, self._tail_threshold))
        for field in self._fitted_on()[1:]:
            values = record.correct if field == "prediction" else record.margin
            columns += [values[:, self.onset_], values[:, -1]]
        return dict(zip(self._names(), columns, strict=True))

    def _findings(self):
        return loss_tail_findings(self)

    def _source_words(self):
        return loss_tail_source(self)

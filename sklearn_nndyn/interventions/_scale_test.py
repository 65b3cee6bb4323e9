"""The scale test: would the mean loss have risen, had the scores not grown?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_nndyn.analyzers import Finding, LossTailAnalyzer
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss, turning_position
from sklearn_nndyn.dynamics import Dynamics, LossFacts, find_record, refuse_unseen
from sklearn_nndyn.interventions._scores import rescale_scores, score_scale, trained_with
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.statistics import ratio_interval
from sklearn_nndyn.utils.text import SOURCES, epoch_words, figure, percent, samples, summary_of

HALF = 0.5  # of the rise


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScaleTest(ShortRepr):
    """Result of ``scale_test``.

    Parameters
    ----------
    source : str
        Source of the data: ``"a record"``, ``"the validation record of the model"``, or the training record.
    loss_facts : LossFacts
        The trained loss, as the record describes it. The figures are of log loss all the same.
    n_samples : int
        Number of samples.
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    onset_epoch : int or float
        The turning epoch.
    mean_loss : array of shape (n_epochs,)
        Mean log loss of the scores, in nats.
    scale : array of shape (n_epochs,)
        Scale s(t), in the units of the scores.
    temperature : float
        Ratio s(end) / s(turn); inf where all scores at the turning epoch are equal.
    rise : float
        Mean log loss at the end minus that at the turning epoch, in nats.
    rise_at_turn_scale : float
        The same for the scores at the end divided by the temperature, in nats.
    share_vanished : float
        1 - rise_at_turn_scale / rise; above 1 where the loss would even have fallen, nan where there is no rise.
    share_interval : tuple of two floats, or None
        95 % interval of it over the samples; None where there is no rise.
    rise_verdict : {"yes", "no", "cannot tell"}
        Whether the mean log loss rises, as ``LossTailAnalyzer`` judges it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn import Dynamics
    >>> from sklearn_nndyn.interventions import scale_test
    >>> z = np.array([[1.0, -1.0], [1.0, -1.0], [-0.5, 0.5]])
    >>> record = Dynamics(y=[0, 0, 0], classes=[0, 1], epochs=[0, 1], scores=np.stack([z, 3 * z], axis=1))
    >>> found = scale_test(record, onset=0)
    >>> print(f"{found.temperature:.1f} {found.rise:.2f} {found.share_vanished:.2f}")
    3.0 0.50 1.00
    """

    source: str
    loss_facts: LossFacts
    n_samples: int
    epochs: np.ndarray
    onset_epoch: float
    mean_loss: np.ndarray
    scale: np.ndarray
    temperature: float
    rise: float
    rise_at_turn_scale: float
    share_vanished: float
    share_interval: tuple[float, float] | None
    rise_verdict: str

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """SC1: whether the rise is a matter of the scale of the scores."""
        return (scale_finding(self),)

    def summary(self) -> str:
        """The finding in words: the verdict first, then what to do next, then what was read.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.
        """
        return summary_of(
            self.findings_, " ".join(filter(None, (_read(self), trained_with(self.loss_facts))))
        )


def scale_test(X: Dynamics | BaseEstimator, *, onset: Literal["auto"] | float = "auto") -> ScaleTest:
    """How much of the rise of the mean log loss vanishes at the scale that the scores had at the turning epoch.

    A network that goes on training multiplies its scores, and a wrong sample then costs more although nothing
    else has changed. This is that part of the rise: one number, the temperature, undoes it.

    Parameters
    ----------
    X : Dynamics or fitted estimator
        A record with ``"scores"``; or a model that holds one, also at the end of a Pipeline, or as the best of a
        search. Of a model the validation record is read where there is one, else the training record.
    onset : "auto", int or float, default="auto"
        The turning epoch, from which the rise is measured: the epoch of least mean log loss over all samples, or a
        recorded epoch.

    Returns
    -------
    found : ScaleTest
        Temperature, the rise with and without it, and the share that vanishes; its ``summary()`` says it in words.

    Raises
    ------
    TypeError
        If ``X`` can hold no record, or ``onset`` is of the wrong type.
    ValueError
        If the record has no scores, or only one epoch; if a score is not finite; or if ``onset`` is not a recorded
        epoch.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    LossTailAnalyzer : Which samples carry the rise.
    feature_growth : Whether it comes from the weights that grew most.

    Notes
    -----
    With scores z_i(t) of n_classes each, the turning epoch r and the end T:
    s(t) = mean_i ||z_i(t) - mean(z_i(t))||, the mean over the classes; temperature = s(T) / s(r);
    rise = L(z(T)) - L(z(r)) and rise_at_turn_scale = L(z(T) / temperature) - L(z(r)), where L is the mean of
    - log softmax(z_i)_c; share_vanished = 1 - rise_at_turn_scale / rise.

    A turning epoch that is chosen on the samples it is measured on makes the rise look a little too large: give
    ``onset`` where that matters. Whatever loss was trained, log loss is tested, for only its softmax has a temperature.

    The question is that of the paper; the definition is our own.

    References
    ----------
    Venter, Theunissen, Davel (2021). arXiv 2103.07986.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.interventions import scale_test
    >>> X, y = make_classification(300, random_state=0)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01, record=("scores",), random_state=0)
    >>> clf = clf.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    >>> print(scale_test(clf).summary())
    Whether the rise of the mean log loss is a matter of scale cannot be told: 57.8 % of it vanishes ...
    """
    return _measure(*find_record(X, ("scores",)), onset)


def _measure(record, source, onset):
    refuse_unseen(record)
    loss = sample_log_loss(record.scores, record.target)
    turn = turning_position(loss, record.epochs, onset)
    mean_loss = loss.mean(axis=0)
    scale = np.array([score_scale(record.scores[:, at]) for at in range(record.n_epochs)])
    rescaled = sample_log_loss(rescale_scores(record.scores[:, -1], scale[turn]), record.target)
    rise = float(mean_loss[-1] - mean_loss[turn])
    rise_at_turn_scale = float(rescaled.mean() - mean_loss[turn])
    parts, wholes = loss[:, -1] - rescaled, loss[:, -1] - loss[:, turn]
    return ScaleTest(
        source=source,
        loss_facts=record.loss_facts,
        n_samples=len(record),
        epochs=record.epochs,
        onset_epoch=record.epochs[turn].item(),
        mean_loss=mean_loss,
        scale=scale,
        temperature=_temperature(scale[-1], scale[turn]),
        rise=rise,
        rise_at_turn_scale=rise_at_turn_scale,
        share_vanished=1 - rise_at_turn_scale / rise if rise > 0 else np.nan,
        share_interval=ratio_interval(parts, wholes, bounded=False) if rise > 0 else None,
        rise_verdict=_rise_verdict(loss, record, turn, onset),
    )


def _rise_verdict(loss, record, turn, onset):
    """What the loss tails say of the log loss; with the last epoch as the turn there is no rise."""
    if turn == record.n_epochs - 1:
        return "no"
    plain = Dynamics(y=record.y, classes=record.classes, epochs=record.epochs, loss=loss)
    return LossTailAnalyzer(onset=onset).fit(plain).rise_verdict_


def _temperature(from_scale, to_scale):
    """What scores of one scale are divided by to have the other: 1 for none to none, inf for some to none."""
    if to_scale > 0:
        return float(from_scale / to_scale)
    return np.inf if from_scale > 0 else 1.0


def scale_finding(test):
    """SC1 of a ScaleTest."""
    if test.rise_verdict == "no" or not test.rise > 0:
        never = (
            "it is least at the end"
            if test.onset_epoch == test.epochs[-1]
            else "it has not risen since the turn"
        )
        statement = f"There is no rise of the mean log loss to test: {never}."
        return Finding.from_code(
            "SC1", "no", statement=statement, advice="A rise may still come with longer training."
        )
    low, high = test.share_interval if test.share_interval else (-np.inf, np.inf)
    verdict = "yes" if low > HALF else "no" if high < HALF else "cannot tell"
    verdict = test.rise_verdict if test.rise_verdict != "yes" else verdict
    return Finding.from_code(
        "SC1",
        verdict,
        value=test.share_vanished,
        interval=test.share_interval,
        null=0.0,
        statement=_told(test, verdict),
        advice={
            "yes": "Calibrate by a temperature, and train on.",
            "no": "Ask who carries the rise: LT2.",
        }.get(verdict, "Give more held-out samples, or record more epochs."),
    )


def _told(test, verdict):
    start = {
        "yes": "The rise of the mean log loss is a matter of the scale of the scores",
        "no": "The rise of the mean log loss is not a matter of the scale of the scores",
        "cannot tell": "Whether the rise of the mean log loss is a matter of scale cannot be told",
    }[verdict]
    divided = (
        f"divided by {figure(test.temperature)}, to their scale at epoch {epoch_words(test.onset_epoch)}"
    )
    left, rise = test.rise_at_turn_scale, f"{figure(test.rise)} nats"
    change = f"the rise is {figure(left)} in place of {rise}"
    if left < 0:
        change = f"in place of a rise of {rise} the loss falls by {figure(-left)}"
    return f"{start}: {_share(test)} when the scores at the end are {divided}, and {change}."


def _share(test):
    if test.share_vanished < 0:
        return "it grows even"
    if test.share_vanished > 1:
        return "all of it vanishes"
    return f"{percent(test.share_vanished)} of it vanishes"


def _read(test):
    trained = ", which it was trained on" if test.source == SOURCES["train"] else ""
    return f"Read from {test.source}: the scores of {samples(test.n_samples)}{trained}."

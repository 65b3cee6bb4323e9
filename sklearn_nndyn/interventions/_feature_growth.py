"""Growth of features: do the hidden units whose outgoing weights grew most make the mean loss rise?"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.dynamics import LossFacts, unwrap_estimator
from sklearn_nndyn.interventions._feature_growth_findings import (
    feature_growth_findings,
    feature_growth_source,
)
from sklearn_nndyn.interventions._last_layer import METHODS, last_layer, replay_scores
from sklearn_nndyn.interventions._outgoing import outgoing_norms, restore_norms, share_on_correct
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.statistics import rank_correlation, ratio_interval, worst_count
from sklearn_nndyn.utils.text import summary_of
from sklearn_nndyn.utils.validation import check_count, check_share

# What an intervention changes.
STILL = 1e-3  # of the move asked for: units that move the scores by less have not grown
CHANGES = ("rising_loss", "loss", "accuracy")


def growth_of(norms_at_turn, norms_at_end):
    """g_j = norm at the end / at the turning epoch, shape (n_units,); inf from zero to more, nan from zero to zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return norms_at_end / norms_at_turn


def most_grown(growth, share):
    """Units of the greatest growth, greatest first: the nearest whole number to ``share`` of all, at least one."""
    order = np.argsort(-np.nan_to_num(growth, nan=-1.0, posinf=np.inf), kind="stable")
    return order[: worst_count(share, len(growth))]


def change_without_growth(activations, weight, bias, norms_at_turn, units, target, rising, size=None):
    """What changes at the end when ``units`` are brought back to their outgoing norms at the turning epoch.

    Parameters
    ----------
    activations : array of shape (n_samples, n_units)
        H, of the last hidden layer at the end.
    weight, bias : array of shape (n_classes, n_units), (n_classes,)
        W and b of the last layer at the end: scores are H W' + b. The bias stays.
    norms_at_turn : array of shape (n_units,)
    units : array of int
    target : array of int of shape (n_samples,)
        Positions of the true classes.
    rising : array of bool of shape (n_samples,)
        Samples whose log loss rose since the turning epoch.
    size : float, default=None
        How far the scores are to move, root mean square; the change is stretched to it, unless they hardly move. None
        is as far as they move.

    Returns
    -------
    change : dict of str to float
        ``"rising_loss"`` and ``"loss"``, of the mean log loss of the rising and of all samples, in nats; and
        ``"accuracy"``.
    sample_change : array of shape (n_samples,)
        Change of the log loss of each sample.
    moved : float
        How far the scores moved, root mean square.
    """
    before = activations @ weight.T + bias
    # Only these units change, and they are few.
    less = (restore_norms(weight, norms_at_turn, units) - weight)[:, units]
    move = activations[:, units] @ less.T
    moved = float(np.sqrt((move**2).mean()))
    if size is not None and moved > STILL * size:
        move, moved = move * (size / moved), size
    after = before + move
    change = sample_log_loss(after, target) - sample_log_loss(before, target)
    right = (after.argmax(axis=1) == target).mean() - (before.argmax(axis=1) == target).mean()
    rise = float(change[rising].mean()) if rising.any() else np.nan
    return dict(zip(CHANGES, (rise, float(change.mean()), float(right)), strict=True)), change, moved


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FeatureGrowth(ShortRepr):
    """Result of ``feature_growth``.

    Parameters
    ----------
    loss_facts : LossFacts
        The trained loss, as the record describes it. The figures are of log loss all the same.
    onset_epoch, end_epoch : int or float
        The turning epoch, and the last recorded epoch.
    share_on_correct : array of shape (n_units,)
        Shares a_j, 0 to 1; nan for units that are silent on all samples.
    growth : array of shape (n_units,)
        Growth g_j; 1 is none. nan for units without outgoing weights at both epochs.
    correlation, p_value : float
        Spearman's rank correlation of the two over the units, and its two-sided p value.
    mean_loss : tuple of two floats
        Mean log loss at the turning epoch and at the end, in nats.
    rise : array of shape (n_samples,)
        Log loss at the end minus that at the turning epoch, in nats.
    restored_units : array of int of shape (n_restored,)
        The most grown units, greatest growth first.
    change : dict of str to float
        What bringing them back changes at the end: ``"rising_loss"``, the mean log loss of the samples whose loss
        rose (nan where there are none), and ``"loss"``, that of all samples, both in nats; and ``"accuracy"``.
    random_change : dict of str to array of shape (n_random,)
        The same for random sets of as many units, their change stretched until the scores move as much.
    undone_interval : tuple of two floats, or None
        95 % interval of the share of what rose that is undone, over the samples that rose.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.interventions import feature_growth
    >>> X, y = make_classification(300, random_state=0)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01, random_state=0).fit(X[:100], y[:100])
    >>> found = feature_growth(clf, X[100:], y[100:], onset=5)
    >>> found.growth.shape, len(found.restored_units), len(found.random_change["loss"])
    ((100,), 10, 20)
    """

    loss_facts: LossFacts
    onset_epoch: float
    end_epoch: float
    share_on_correct: np.ndarray
    growth: np.ndarray
    correlation: float
    p_value: float
    mean_loss: tuple
    rise: np.ndarray
    restored_units: np.ndarray
    change: dict
    random_change: dict
    undone_interval: tuple[float, float] | None

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """FG1 and FG2: whether the most grown units make the loss rise; whether units of right samples grew more."""
        return feature_growth_findings(self)

    @property
    def random_interval(self) -> dict[str, tuple[float, float, float]]:
        """{what changes: (mean, 2.5 % quantile, 97.5 % quantile)} over the random sets."""
        return {
            name: (float(values.mean()), *np.quantile(values, [0.025, 0.975]).tolist())
            for name, values in self.random_change.items()
        }

    def summary(self) -> str:
        """The findings in words: the verdicts first, then what to do next, then what was read.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.
        """
        return summary_of(self.findings_, feature_growth_source(self))


def feature_growth(
    model: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    onset: Literal["auto"] | float = "auto",
    share: float = 0.1,
    n_random: int = 20,
    random_state: int | np.random.RandomState | None = 0,
) -> FeatureGrowth:
    """Whether the units whose outgoing weights grew most since the turning epoch carry the rise of the mean loss.

    Venter, Theunissen and Davel (2021) see the cause in the growth of parameters tied to features of samples
    that are already processed correctly. Two tests of that in the last hidden layer: do the units that belong to
    such samples grow most; and what happens to the loss if the most grown ones had not grown, against as many
    units drawn at random?

    Parameters
    ----------
    model : fitted DynamicsClassifier
        With snapshots, and a last layer that is linear on the last hidden layer; also at the end of a Pipeline, or
        as the best of a search.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Held-out samples.
    y : array-like of shape (n_samples,)
        Their labels, among ``classes_``.
    onset : "auto", int or float, default="auto"
        The turning epoch: the epoch of least mean log loss of these samples, or a recorded epoch. Given one, only two
        epochs are replayed, which is faster.
    share : float, default=0.1
        Share of the units that are brought back to their norm at the turning epoch.
    n_random : int, default=20
        Number of random sets.
    random_state : int, RandomState instance or None, default=0
        Seed or generator of the draws.

    Returns
    -------
    found : FeatureGrowth
        Share and growth of each unit, their correlation, and what the interventions change; its ``summary()`` says
        it in words.

    Raises
    ------
    TypeError
        If ``model`` is no DynamicsClassifier, or a parameter is of the wrong type.
    ValueError
        If there are no snapshots, no hidden layer, or no linear layer on it; if ``onset`` is not a recorded epoch; or
        for a parameter out of its range.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    scale_test : How much of the rise is a matter of the scale of all scores.

    Notes
    -----
    With activations H (n_samples, n_units) of the last hidden layer at the end, weights W (n_classes, n_units) and
    bias b of the last layer, scores are H W' + b; that this holds is checked. a_j = sum over i correct at the
    turn of |h_ij| / sum_i |h_ij|; g_j = ||W_j(end)|| / ||W_j(turn)||, of columns. The intervention divides column j of
    W by g_j. Whatever loss was trained, the changes are those of log loss.

    Where most samples are correct, a_j is near 1 for all units, and the correlation is one of small differences.
    Units drawn at random have grown too, by less: bringing back any of them makes the scores smaller. So the change of
    a random set is stretched until its scores move as far as those of the most grown units, root mean square: the
    random sets tell what any such move does. A set of units that hardly move them is left as it is.

    A turning epoch that is chosen on these samples makes their rise look a little too large: give ``onset`` where that
    matters.

    The question is that of the paper; the definitions are our own.

    References
    ----------
    Venter, Theunissen, Davel (2021). arXiv 2103.07986.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.interventions import feature_growth
    >>> X, y = make_classification(300, random_state=0)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01, random_state=0).fit(X[:100], y[:100])
    >>> print(feature_growth(clf, X[100:], y[100:], onset=5).summary())
    Whether the units that grew most make the loss rise cannot be told: to bring the 10 most grown units ...
    """
    check_parameters(share, n_random)
    model, X = unwrap_estimator(model, X, methods=METHODS)
    record, turn = replay_scores(model, X, y, onset)
    first, last = (record.epochs[at].item() for at in (turn, -1))
    loss = [sample_log_loss(record.scores[:, at], record.target) for at in (turn, -1)]
    correct_at_turn = record.scores[:, turn].argmax(axis=1) == record.target
    activations, weight, bias = last_layer(model, X, record.scores[:, -1], last)
    norms = outgoing_norms(last_layer(model, X, record.scores[:, turn], first)[1])
    growth, belongs = growth_of(norms, outgoing_norms(weight)), share_on_correct(activations, correct_at_turn)
    correlation, p_value = rank_correlation(belongs, growth)
    rise = loss[1] - loss[0]

    def change(units, size=None):
        return change_without_growth(activations, weight, bias, norms, units, record.target, rise > 0, size)

    units, rng = most_grown(growth, share), check_random_state(random_state)
    changed, sample_change, size = change(units)
    drawn = [change(rng.choice(len(growth), len(units), replace=False), size)[0] for _ in range(n_random)]
    return FeatureGrowth(
        loss_facts=record.loss_facts,
        onset_epoch=first,
        end_epoch=last,
        share_on_correct=belongs,
        growth=growth,
        correlation=correlation,
        p_value=p_value,
        mean_loss=(float(loss[0].mean()), float(loss[1].mean())),
        rise=rise,
        restored_units=units,
        change=changed,
        random_change={name: np.array([one[name] for one in drawn]) for name in CHANGES},
        undone_interval=ratio_interval(-sample_change[rise > 0], rise[rise > 0], bounded=False),
    )


def check_parameters(share, n_random):
    """A share of the units, and a number of random sets."""
    check_share("share", share, of="the hidden units", zero=False)
    check_count("n_random", n_random)

"""Entanglement: the epoch at which the classes of a hidden layer begin to mix again, and the samples behind it.

A long file of short methods: more than half of it says what is measured, where the user meets it.
"""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.analyzers._base import RecordAnalyzer, find_recorded_layer
from sklearn_nndyn.analyzers.entanglement._checks import (
    CURVES,
    check_burn_in,
    check_record,
    check_rule,
    check_samples,
    check_tolerance,
    find_reference,
)
from sklearn_nndyn.analyzers.entanglement._findings import entanglement_findings, entanglement_source
from sklearn_nndyn.analyzers.entanglement._separation import (
    distances,
    mean_distance,
    mean_radius,
    radii,
    similarities,
)
from sklearn_nndyn.analyzers.entanglement._turn import turning_points
from sklearn_nndyn.analyzers.sample_scores import epoch_learned, times_forgotten
from sklearn_nndyn.dynamics import NOT_SEEN, unwrap_estimator

COLUMNS = ("straggler", "class_straggler", "margin_at_turn", "epoch_learned", "times_forgotten")
REPLAYED = (
    "own_similarity_at_turn",
    "other_similarity_at_turn",
    "own_similarity_at_end",
    "other_similarity_at_end",
)


class EntanglementAnalyzer(RecordAnalyzer):
    """When the classes of a hidden layer stop coming apart, and which samples are behind it.

    Training first draws the classes of a hidden layer apart, then slowly mixes them again. Ciceri et al. (2024)
    call the turn the inversion point, find the training error there to be stable between runs, and see its cause in
    the stragglers: the training samples that are still misclassified at the turn. Here is what your own record says.

    Parameters
    ----------
    layer : int or str, default=-1
        Hidden layer: position in the order of the forward pass, or name. -1 is the input of the last linear layer.
    rule : {"extremum", "first_rise"}, default="extremum"
        What counts as the turn of a curve: ``"extremum"``, the extreme value to which it had come and from which it
        turns back for good; ``"first_rise"``, the first epoch that the next one is no better than, as in the code of
        Ciceri et al., who count from epoch 20 (``burn_in=20``).
    burn_in : int, default=0
        First epoch that may be the turning epoch.
    reference : "mean", "distance" or a class, default="mean"
        The curve whose turn is the inversion: the mean of the classes' radii, the mean distance between their
        centroids, or the radius of one class.
    tolerance : "auto" or float, default="auto"
        How far a curve has to come, and to turn back, for ``"extremum"``, as a share of its range. ``"auto"`` is 0.01,
        or what the curve's noise would seldom exceed where that is more (``lasting_turn``).

    Attributes
    ----------
    source_ : str
        Source of the data: ``"the training record of the model"``, or a record.
    layer_ : str
        Name of the layer.
    reference_ : str or int
        ``reference``; of a class its position in ``classes_``.
    classes_ : array of shape (n_classes,)
        The classes.
    epochs_ : array of shape (n_epochs,)
        Recorded epochs.
    n_features_in_ : int
        Number of recorded epochs.
    radii_ : array of shape (n_epochs, n_classes)
        R_c, 0 to 1; nan for a class without samples.
    distances_ : array of shape (n_epochs, n_classes, n_classes)
        D_ab, 0 to 2.
    mean_radius_, mean_distance_ : array of shape (n_epochs,)
        Over the classes, and over the pairs of two, that have samples.
    training_error_ : array of shape (n_epochs,)
        Share of the samples that are misclassified.
    guess_error_ : float
        The error of always naming the largest class.
    inversion_ : int or None
        Position in ``epochs_`` of the inversion.
    inversion_epoch_ : int or None
        The epoch; None where the curve has no turn.
    inversion_error_ : float
        Training error there, eps*; nan without inversion.
    class_inversion_epochs_, class_inversion_errors_ : array of shape (n_classes,)
        Turn of each class's radius, and training error there; nan for none.
    radius_inversion_epoch_, distance_inversion_epoch_ : int or None
        Turn of the mean radius, and of the mean distance, whatever ``reference`` is.
    reentanglement_ : array of shape (n_classes, n_classes)
        How much nearer two classes have come since the turn of their distance, at the end; 0 without a turn.
    straggler_mask_ : array of bool of shape (n_samples,)
        Samples that are misclassified at the inversion; none without one.
    straggler_indices_ : array of int
        The same as positions.
    class_straggler_mask_ : array of bool of shape (n_samples,)
        Samples that are misclassified at the turn of their own class's radius.
    findings_ : tuple of Finding
        EN1 to EN4: whether the classes mix again, whether radius and distance both turn, whether there are stragglers,
        and whether each class turns by its own radius.

    See Also
    --------
    straggler_stability : Whether several runs have the same stragglers.
    sklearn_nndyn.interventions.remove_and_refit : What becomes of the inversion without them.
    sklearn_nndyn.displays.EntanglementDisplay : The picture of it.

    Notes
    -----
    With activations h, u = h/||h||, and m_c the mean of u over class c: R_c = sqrt(mean ||u - m_c||^2) =
    sqrt(1 - ||m_c||^2) and D_ab = ||m_a - m_b|| (Ciceri et al. 2024, Methods). They come from the recorded centroids
    alone, which are those of all samples that were recorded, also in a slice of the record. A zero activation (of a
    dead layer) adds nothing to m_c; a layer that is zero for all has R = 1 and D = 0.

    The rule ``"extremum"`` is our own. Of a curve that should fall it takes the lowest value to which the curve has
    fallen, below which it never goes afterwards, and above which it ends, both by more than ``tolerance``. So a rise
    before the fall, a dip that is made up for later, and noise are no turns. Noise is measured by the third
    differences of the curve; a noisy curve is averaged over neighbouring epochs until its noise is below a
    hundredth of its range, over a fifth of the epochs at most.

    What the noise of one epoch has to do with that of the next is not known to it: where a curve wanders, as with small
    batches and a large learning rate, a turn may be found where there is none. Look at the picture, and at other seeds.

    Epochs of an inversion vary from run to run; the training error there varies little: quote that. Centre the input
    (``StandardScaler``): where all pixels are positive, all activations point one way at first, and radii say little.

    ``transform`` has a row for each sample: ``straggler`` and ``class_straggler``; ``margin_at_turn``;
    ``epoch_learned``, the first recorded epoch from which the sample stays correct (nan where it is wrong at the
    end); ``times_forgotten`` (both nan for a sample that was not seen at every epoch); and cosines of its
    activation with the centroid of its own class and with the nearest other, as recorded, at the turn and at the
    end. These have to be replayed: nan where ``samples`` are not given.

    References
    ----------
    Ciceri, Cassani, Osella, Rotondo, Valle, Gherardi (2024). Inversion dynamics of class manifolds in deep learning
    reveals tradeoffs underlying generalization. Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
    >>> from sklearn_nndyn.modules import MLP
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(MLP((20,), activation="tanh"), max_epochs=60, random_state=0).fit(X / 16, y % 2)
    >>> entanglement = EntanglementAnalyzer().fit(clf)
    >>> entanglement.radii_.shape, entanglement.distances_.shape
    ((61, 2), (61, 2, 2))
    >>> print(entanglement.summary())
    By the mean radius of the classes, the classes of layer linear1 do not mix again: ...
    """

    _needs = ("prediction", "centroids")
    _prefers = "train"

    def __init__(self, layer=-1, rule="extremum", burn_in=0, reference="mean", tolerance="auto"):
        self.layer = layer
        self.rule = rule
        self.burn_in = burn_in
        self.reference = reference
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the inversion and the stragglers.

        Parameters
        ----------
        X : Dynamics or fitted estimator
            A record; or a model, also at the end of a Pipeline, or as the best of a search, of which the training
            record is read.
        y : None, default=None
            Not used; here because scikit-learn's meta-estimators hand it on.

        Returns
        -------
        self : EntanglementAnalyzer
            Fitted.

        Raises
        ------
        TypeError
            If a parameter is of the wrong type, or ``X`` can hold no record.
        ValueError
            If the record has no centroids or predictions, no samples, or one epoch only; if there is no such layer or
            class (the names are offered); if ``burn_in`` is not before the last epoch; or for an unknown rule or a
            tolerance that is not between 0 and 1.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        return super().fit(X, y)

    def transform(self, X: Any, *, samples: Any = None) -> np.ndarray:
        """Measure each sample of a record.

        Parameters
        ----------
        X : Dynamics or fitted estimator
            As for ``fit``; with the same classes, recorded at the same epochs as what was fitted.
        samples : array-like of shape (n_samples, ...), default=None
            The samples of that record, as they were given to ``fit`` of the model: their activations are replayed, at
            the turning epoch and at the end. ``X`` has to be the model then.

        Returns
        -------
        table : array of shape (n_samples, 9)
            A row for each sample, float64; the columns are those of ``get_feature_names_out``.

        Raises
        ------
        TypeError
            If ``X`` can hold no record, or ``samples`` are given without a model.
        ValueError
            If the record lacks what is needed, or has other epochs or classes; if there are other samples than
            rows; or if the model has no snapshots.
        sklearn.exceptions.NotFittedError
            If the analyzer or the model is not fitted.
        """
        check_is_fitted(self)
        record, _ = self._read(X, reset=False)
        table = self._table(record)
        if samples is not None:
            table[:, len(COLUMNS) :] = self._replayed(record, X, samples)
        return table

    def _fit(self, record):
        self._check(record)
        self.classes_ = record.classes
        self._set_curves(record)
        self._set_inversions(record)
        self._set_stragglers(record)

    def _check(self, record):
        check_rule(self.rule)
        check_tolerance(self.tolerance)
        check_record(record)
        check_burn_in(self.burn_in, record.epochs)
        self.layer_ = find_recorded_layer(self.layer, tuple(record.centroids))
        self.reference_ = find_reference(self.reference, record.classes)

    def _set_curves(self, record):
        centroids = record.centroids[self.layer_]
        self.radii_, self.distances_ = radii(centroids), distances(centroids)
        self.mean_radius_, self.mean_distance_ = mean_radius(self.radii_), mean_distance(self.distances_)
        self.training_error_ = record.error.astype(np.float64)
        self.guess_error_ = 1 - float(np.bincount(record.target).max()) / len(record)

    def _turns(self, curves):
        """Positions (n_curves,) of the turning epochs of curves (n_curves, n_epochs); -1 for none."""
        return turning_points(np.asarray(curves), self.epochs_, self.rule, self.burn_in, self.tolerance)

    def _set_inversions(self, record):
        self._class_turns = self._turns(self.radii_.T)
        self.class_inversion_epochs_, self.class_inversion_errors_ = self._at(self._class_turns)
        overall = dict(zip(CURVES, self._turns([self.mean_radius_, -self.mean_distance_]), strict=True))
        self.radius_inversion_epoch_ = self._epoch_or_none(overall["mean"])
        self.distance_inversion_epoch_ = self._epoch_or_none(overall["distance"])
        self._set_pairs()
        turn = overall[self.reference_] if self.reference_ in overall else self._class_turns[self.reference_]
        self.inversion_ = None if turn < 0 else int(turn)
        self.inversion_epoch_ = self._epoch_or_none(turn)
        self.inversion_error_ = float(self._at(np.array([turn]))[1][0])

    def _epoch_or_none(self, turn):
        return None if turn < 0 else self.epochs_[turn].item()

    def _at(self, turns):
        """Epochs and training errors at positions (n_turns,); nan where there is none."""
        return [np.where(turns < 0, np.nan, own[turns]) for own in (self.epochs_, self.training_error_)]

    def _set_pairs(self):
        self.reentanglement_ = np.zeros(self.distances_.shape[1:])
        for c in range(1, len(self.classes_)):
            apart = self.distances_[:, c, :c]
            turns = self._turns(-apart.T)
            nearer = np.where(turns < 0, 0.0, apart[turns, np.arange(c)] - apart[-1])
            self.reentanglement_[c, :c] = self.reentanglement_[:c, c] = nearer

    def _set_stragglers(self, record):
        self.straggler_mask_, self.class_straggler_mask_ = self._stragglers(record)
        self.straggler_indices_ = np.flatnonzero(self.straggler_mask_)

    def _stragglers(self, record):
        """Who is misclassified at the inversion, and at the turn of the own class; masks (n_samples,)."""
        return wrong_at(record, self.inversion_), wrong_at(record, self._class_turns[record.target])

    def _names(self):
        return COLUMNS + REPLAYED

    def _columns(self, record):
        if not np.array_equal(record.classes, self.classes_):
            raise ValueError(
                f"The record has the classes {record.classes}, but the analyzer was fitted on {self.classes_}."
            )
        unknown = np.full(len(record), np.nan)
        margins = (
            unknown if self.inversion_ is None or record.margin is None else record.margin[:, self.inversion_]
        )
        learned, forgotten = epoch_learned(record.correct, record.epochs), times_forgotten(record.correct)
        learned, forgotten = (np.where(record.seen.all(axis=1), own, np.nan) for own in (learned, forgotten))
        own = (*self._stragglers(record), margins, learned, forgotten)
        return dict(zip(COLUMNS, own, strict=True)) | dict.fromkeys(REPLAYED, unknown)

    def _replayed(self, record, model, samples):
        """Similarities to the centroids at the turning epoch and at the end, shape (n_samples, 4)."""
        model, samples = unwrap_estimator(model, samples, methods=["activations"])
        check_samples(samples, record)
        found = np.full((len(record), 4), np.nan)
        for i, at in enumerate((self.inversion_, -1)):
            if at is not None:
                centroids = record.centroids[self.layer_][at]
                flat = self._activations(model, samples, self.epochs_[at].item(), centroids.shape[1])
                found[:, 2 * i : 2 * i + 2] = np.transpose(similarities(flat, record.target, centroids))
        return found

    def _activations(self, model, samples, epoch, width):
        """Activations (n_samples, width), pooled as the centroids are."""
        activations = model.activations(samples, layer=self.layer_, epoch=epoch, pool="mean")
        if activations.shape[1] == width:
            return activations
        return model.activations(samples, layer=self.layer_, epoch=epoch, pool="flat")

    def _findings(self):
        return entanglement_findings(self)

    def _source_words(self):
        return entanglement_source(self)


def wrong_at(record, turn):
    """Samples misclassified at a position among the epochs, or each at its own; none for None or a negative one.

    A sample that was not seen there was not misclassified.

    Parameters
    ----------
    record : Dynamics
    turn : None, int, or array of int of shape (n_samples,)

    Returns
    -------
    mask : array of bool of shape (n_samples,)
    """
    turn = np.full(len(record), -1) if turn is None else np.broadcast_to(turn, len(record))
    prediction = record.prediction[np.arange(len(record)), turn]
    return (turn >= 0) & (prediction != record.target) & (prediction != NOT_SEEN)

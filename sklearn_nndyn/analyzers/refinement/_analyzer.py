"""Refinement: how much of the held-out loss, and of its rise, is calibration."""

from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers._base import RecordAnalyzer
from sklearn_nndyn.analyzers._runs import find_runs
from sklearn_nndyn.analyzers.refinement._checks import check_scores
from sklearn_nndyn.analyzers.refinement._decomposition import as_temperature, decompose_loss
from sklearn_nndyn.analyzers.refinement._findings import refinement_findings, refinement_source
from sklearn_nndyn.analyzers.refinement._measures import measure_runs
from sklearn_nndyn.utils.losses.refinement import score_distances, tempered_losses

COLUMNS = (
    "loss_at_least",
    "loss_at_end",
    "refined_loss_at_least",
    "refined_loss_at_best",
    "refined_loss_at_end",
    "calibration_at_end",
)


class RefinementAnalyzer(RecordAnalyzer):
    """How much of the held-out loss, and of its rise, is calibration; and which epoch is best once calibrated.

    The log loss falls into two parts: refinement, how well the network tells the classes apart, and calibration, how
    well its probabilities are scaled. Berta, Holzmueller, Jordan and Bach (2025) find that the two are least at
    different epochs, so that the epoch of least loss is best in neither; one number, the temperature, removes most of
    the second. Here is what your own record says.

    Attributes
    ----------
    source_ : str
        Source of the data: ``"the validation record of the model"``, the training record, a record, or so many runs.
    loss_name_ : str
        Name of the trained loss; empty where it is not known. What is measured is log loss all the same.
    epochs_ : array of shape (n_epochs,)
        Recorded epochs.
    n_features_in_ : int
        Number of recorded epochs.
    n_runs_ : int
        Number of runs.
    loss_curve_ : array of shape (n_epochs,)
        L: mean log loss of the scores, in nats, over the samples and the runs.
    refinement_curve_ : array of shape (n_epochs,)
        R: the same of the scores divided by the best temperature, cross-fitted.
    calibration_curve_ : array of shape (n_epochs,)
        L - R. Below 0 by chance where there is nothing to calibrate.
    temperature_curve_ : array of shape (n_epochs,)
        The temperature that suits all samples best: above 1 where the network is too sure. Inf where equal
        probabilities are better than its scores. Of several runs, 1 over the mean of 1 / T.
    run_loss_curves_, run_refinement_curves_ : array of shape (n_runs, n_epochs)
        L and R of each run.
    least_loss_epoch_ : int or float
        The epoch of least L.
    best_epoch_ : int or float
        The epoch of least R: the one to choose where its probabilities are calibrated afterwards.
    findings_ : tuple of Finding
        RF1 to RF3: whether the rise of the mean loss is calibration, whether another epoch is better once calibrated,
        and whether part of the loss at the end is calibration.

    See Also
    --------
    LossTailAnalyzer : Which samples carry a rise of the loss.
    sklearn_nndyn.interventions.scale_test : What of the rise vanishes at the scale of the scores at the turn.
    sklearn_nndyn.displays.RefinementDisplay : The picture of it.

    Notes
    -----
    With scores z_i(t) of the true class c and a temperature T: l_i(t, T) = - log softmax(z_i(t) / T)_c; L(t) is the
    mean of l_i(t, 1), and R(t) that of l_i(t, T_i(t)), where T_i(t) is the best for the half of the samples that i is
    not in. The halves are drawn, always in the same way. Each half counts one sample more, whose scores are like those
    of all its samples and whose label is any class alike (Laplace's rule): a half that is all right has a temperature
    too.

    The rest of the calibration error, what one temperature does not remove, stays in R. That of classes, say, or of
    samples that are wrong for sure. So R is an upper bound of the refinement of the paper, and close to it for
    networks (its authors' finding).

    It says nothing where the scores are not logits of a softmax, and of the training samples it says how sure the
    network is of what it has seen: give held-out samples. The findings rest on the rise as ``LossTailAnalyzer`` judges
    it.

    ``transform`` has a row for each sample: its loss at the epoch of least loss and at the end; its refined loss at
    these and at the best epoch; and loss less refined loss at the end. Its temperatures are those of
    ``temperature_curve_``, for a new sample is in no half.

    References
    ----------
    Berta, Holzmueller, Jordan, Bach (2025). Rethinking early stopping: refine, then calibrate. arXiv 2501.19195.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn import Dynamics, RefinementAnalyzer
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 3, 2000)
    >>> apart = np.array([0.0, 0.5, 1.0, 1.4, 1.6, 1.7, 1.8, 1.9, 2.0, 2.05])  # ever better told apart,
    >>> sure = np.array([1.0, 1.0, 1.0, 1.0, 1.2, 1.5, 2.0, 2.4, 2.8, 3.2])  # and ever more surely
    >>> z = rng.normal(size=(2000, 1, 3)) + apart[:, None] * np.eye(3)[y][:, None]
    >>> record = Dynamics.from_scores(z * (apart * sure)[:, None], y)
    >>> refinement = RefinementAnalyzer().fit(record)
    >>> refinement.least_loss_epoch_, refinement.best_epoch_
    (5, 9)
    >>> print(refinement.summary())
    All of the rise of the mean loss is calibration, ...
    """

    _needs = ("scores",)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Decompose the loss of every epoch.

        Parameters
        ----------
        X : Dynamics, fitted estimator, or list or tuple of them
            A record with ``"scores"``; a model, also at the end of a Pipeline, or as the best of a search, of which the
            validation record is read where there is one, else the training record; or several runs of one experiment
            with other seeds, recorded at the same epochs.
        y : None, default=None
            Not used; here because scikit-learn's meta-estimators hand it on.

        Returns
        -------
        self : RefinementAnalyzer
            Fitted.

        Raises
        ------
        TypeError
            If ``X`` can hold no record.
        ValueError
            If there is no run; if a record has no scores, fewer than two samples or epochs, or a score that is not
            finite; if it was trained with a loss whose probabilities are not the softmax of the scores; or if runs have
            other epochs or classes.
        sklearn.exceptions.NotFittedError
            If a model is not fitted.
        """
        records, source = find_runs(X, self._needs, self._prefers)
        self._read(records[0], reset=True)
        for record in records:
            check_scores(record)
        self.source_, self.epochs_, self.n_runs_ = source, records[0].epochs, len(records)
        self.loss_name_, self._n_samples = records[0].loss_facts.name, list(map(len, records))
        found = [decompose_loss(record.scores, record.target) for record in records]
        self._set_curves(found)
        self.findings_ = refinement_findings(self, measure_runs(found))
        return self

    def _set_curves(self, found):
        self.run_loss_curves_ = np.array([run.loss.mean(axis=0) for run in found])
        self.run_refinement_curves_ = np.array([run.refined.mean(axis=0) for run in found])
        self.loss_curve_ = self.run_loss_curves_.mean(axis=0)
        self.refinement_curve_ = self.run_refinement_curves_.mean(axis=0)
        self.calibration_curve_ = self.loss_curve_ - self.refinement_curve_
        self.temperature_curve_ = as_temperature(np.mean([1 / run.temperature for run in found], axis=0))
        self._at = {
            "least": int(self.loss_curve_.argmin()),
            "best": int(self.refinement_curve_.argmin()),
            "end": -1,
        }
        self.least_loss_epoch_, self.best_epoch_ = (
            self.epochs_[self._at[name]].item() for name in ("least", "best")
        )

    def _names(self):
        return COLUMNS

    def _columns(self, record):
        check_scores(record)
        at = list(self._at.values())
        distances = score_distances(record.scores[:, at], record.target)
        loss = tempered_losses(distances, 1.0)
        refined = tempered_losses(distances, 1 / self.temperature_curve_[at][:, None])
        values = loss[0], loss[2], *refined, loss[2] - refined[2]
        return dict(zip(COLUMNS, values, strict=True))

    def _source_words(self):
        return refinement_source(self, self._n_samples)

"""Methods of a fitted classifier that go back to the weights of a recorded epoch.

Longer than 300 lines: most of them document what the user sees, where it is defined.
"""

import copy

import numpy as np
import torch
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.classifiers._results import BORN_IN_FIT, make_header
from sklearn_nndyn.classifiers._state import check_state_is_whole
from sklearn_nndyn.classifiers._validation import check_X, check_X_y, encode, labels_to_compare
from sklearn_nndyn.losses import probabilities
from sklearn_nndyn.recording import (
    Geometry,
    Reconstruction,
    Recorder,
    check_all_samples,
    check_network,
    check_record,
    decode,
    layer_recordings,
    replay,
    staged_scores,
    without_choice,
)
from sklearn_nndyn.training import check_ids
from sklearn_nndyn.utils.modules import hidden_layers, score_in_chunks
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.networks.evaluation import keeps_modes, unchanged
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.rows.arrays import as_tensor, samples_on
from sklearn_nndyn.utils.rows.datasets import open_labelled
from sklearn_nndyn.utils.text import in_words
from sklearn_nndyn.utils.validation import find_layer, is_number


def _has_probabilities(estimator):
    return bool(estimator.predict_proba)  # or its AttributeError, which says why


class ReplayMixin:
    """``replay``, ``at_epoch``, ``activations``, ``reconstruct`` and the ``staged_`` methods."""

    @keeps_modes
    def replay(self, X, y=None, *, record=None, epochs=None, X_train=None, y_train=None):
        """Record what the training did to other labelled samples, afterwards.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples, seen in training or not; also a Dataset.
        y : array-like of shape (n_samples,), default=None
            Their labels, among ``classes_``; None for a Dataset that gives them.
        record : tuple of str or objects, default=None
            What to record, see the parameter of the classifier; None is what the classifier itself recorded, of all
            samples that are given here and in evaluation mode.
        epochs : sequence of numbers, default=None
            Which of the recorded epochs; None is all of them.
        X_train, y_train : array-like, default=None
            What decoders and probes learn from, for ``"reconstruction"`` and ``"probe"``. Without them each sample
            of ``X`` is scored by what was learned from the other folds of ``X``.

        Returns
        -------
        dynamics : Dynamics
            For the training samples the same as ``dynamics_``, and for the validation samples the same as
            ``validation_dynamics_``, to the last bit: every network runs alone on the rows that it ran on in training.
            Other choices of rows, estimators that were fitted together, and accelerators give it up to rounding.

        Raises
        ------
        ValueError
            For unseen labels, epochs that were not recorded, layers that do not exist, or without snapshots.
        """
        snapshots = self._get_snapshots("replay")
        X, y = check_X_y(self, X, y)
        epochs = _choose(epochs, snapshots.epochs)
        record = self._what_to_record(record)
        reference = self._reference(record, X_train, y_train, len(epochs))
        recorder = self._recorder(X, y, record, len(epochs), reference=reference)
        check_network(record, self.module_, recorder.X)
        replay(recorder, self.module_, snapshots, epochs)
        return recorder.dynamics(y, self.classes_, make_header(self, self._state), self._state.iterations)

    def _recorder(self, X, y, record, capacity, **options):
        data, target = samples_on(X, self._device), as_tensor(encode(y, self.classes_), self._device)
        check_ids(self.module_, data)
        return Recorder(
            data,
            target,
            self.loss_,
            n_classes=len(self.classes_),
            record=record,
            capacity=capacity,
            **options,
        )

    def _reference(self, record, X_train, y_train, capacity):
        """A recorder of what decoders and probes learn from, or None."""
        X_train, y_train = open_labelled(X_train, y_train, "X_train", num_workers=self.num_workers)
        if (X_train is None) != (y_train is None):
            raise ValueError("Give both X_train and y_train, or neither.")
        if X_train is None:
            alone = [type(own).__name__ for own in layer_recordings(record) if not own.train]
            if alone:
                raise ValueError(
                    f"{' and '.join(alone)} with train=False can score only what it has not learned from: give "
                    "X_train and y_train to replay."
                )
            return None
        X_train, y_train = check_X_y(self, X_train, y_train)
        return self._recorder(X_train, y_train, layer_recordings(record), capacity, score=False)

    @keeps_modes
    def reconstruct(self, X, *, X_train, layer=-1, epoch=None, alpha="auto"):
        """Give the input back from a hidden layer, as seen by a decoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples to give back.
        X_train : array-like of shape (n_train_samples, n_features) or (n_train_samples, ...)
            Samples from which the decoder learns.
        layer : int or str, default=-1
            Position in the order of the forward pass, or name; ``"scores"`` are the raw outputs.
        epoch : int or float, default=None
            A recorded epoch; None is the model as it predicts.
        alpha : "auto" or float, default="auto"
            Penalty of the decoder, see :class:`~sklearn_nndyn.recording.Reconstruction`.

        Returns
        -------
        X : ndarray, shaped as ``X``

        Raises
        ------
        ValueError
            If there is no such layer or epoch, or it cannot be decoded.
        """
        check_is_fitted(self, "net_")
        recording = Reconstruction(layer, alpha=alpha)
        recording.check()
        X, X_train = (samples_on(check_X(self, data), self._device) for data in (X, X_train))
        module = self.module_ if epoch is None else self.at_epoch(epoch).module_
        check_network([recording], module, X_train)
        return decode(recording, module, X_train, X).cpu().numpy()

    def at_epoch(self, epoch):
        """The classifier as of an epoch, fitted, as if ``fit`` had stopped there.

        Parameters
        ----------
        epoch : int or float
            A recorded epoch; -1 is the last one.

        Returns
        -------
        estimator : DynamicsClassifier
            A copy with the weights of that epoch, and a record that ends there. Trained further, it begins with a
            new optimizer.
        """
        snapshots = self._get_snapshots("at_epoch")
        (epoch,) = _choose([epoch], snapshots.epochs)
        whole = int(epoch)
        attributes = {name: getattr(self, name) for name in BORN_IN_FIT if hasattr(self, name)}
        attributes |= {
            "_state": self._state.until(epoch),
            "net_": self.net_.copy_with(snapshots.state_dict(epoch)),
        }
        attributes["net_"].history_.extend(self.net_.history[:whole])
        attributes["loss_"] = attributes["net_"].criterion_
        snapshots.load_loss(attributes["loss_"], epoch)
        attributes |= {"n_iter_": whole, "loss_curve_": self.loss_curve_[:whole]}
        if "validation_scores_" in attributes:
            attributes["validation_scores_"] = self.validation_scores_[:whole]
        for name in {"dynamics_", "validation_dynamics_"} & attributes.keys():
            record = attributes.pop(name)
            if epoch in record.epochs:
                attributes[name] = record.until(epoch)
        earlier = copy.copy(self)
        earlier._keep(attributes)
        return earlier

    @keeps_modes
    def activations(self, X, layer=-1, epoch=None, *, pool=None):
        """Activations of a hidden layer, after its nonlinearity.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        layer : int or str, default=-1
            Position in the order of the forward pass, or name. -1 is the input of the last linear layer; ``"scores"``
            are the raw outputs.
        epoch : int or float, default=None
            A recorded epoch; None is the model as it predicts.
        pool : {None, "mean", "flat"}, default=None
            What becomes of a layer with positions (a feature map, a sequence): None leaves it as it is, for
            ``"mean"`` and ``"flat"`` see :class:`~sklearn_nndyn.recording.Geometry`.

        Returns
        -------
        activations : ndarray of shape (n_samples, ...)
            With ``pool`` of shape (n_samples, width).

        Raises
        ------
        ValueError
            If there is no such layer or epoch, the names are offered; or for another ``pool``.
        """
        check_is_fitted(self, "net_")
        geometry = Geometry(layer, pool)
        geometry.check()
        X = samples_on(check_X(self, X), self._device)
        module = self.module_ if epoch is None else self.at_epoch(epoch).module_
        with untouched_generators(X.device), unchanged(module):
            names, maps = hidden_layers(module, X[:2])
            name = find_layer(layer, names, also=["scores"])
            found = score_in_chunks(module, X, None if name == "scores" else name)
        return (found if pool is None else geometry.flatten(found[None], name in maps)[0]).cpu().numpy()

    def staged_decision_function(self, X):
        """Yield ``decision_function(X)`` as of each recorded epoch, epoch 0 first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Yields
        ------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
        """
        return self._staged(X, lambda loss, scores: decision_values(scores))

    @available_if(_has_probabilities)
    def staged_predict_proba(self, X):
        """Yield ``predict_proba(X)`` as of each recorded epoch, epoch 0 first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Yields
        ------
        proba : ndarray of shape (n_samples, n_classes)
        """
        return self._staged(X, lambda loss, scores: probabilities(loss, scores).cpu().numpy())

    def staged_predict(self, X):
        """Yield ``predict(X)`` as of each recorded epoch, epoch 0 first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        return self._staged(X, lambda loss, scores: self.classes_[loss.decide(scores).cpu().numpy()])

    def staged_score(self, X, y=None, sample_weight=None):
        """Yield the accuracy as of each recorded epoch, epoch 0 first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        y : array-like of shape (n_samples,), default=None
            None for a Dataset that gives them.
        sample_weight : array-like of shape (n_samples,), default=None

        Yields
        ------
        accuracy : float
        """
        X, y = open_labelled(X, y, num_workers=self.num_workers)
        y = labels_to_compare(y)
        return (
            accuracy_score(y, predicted, sample_weight=sample_weight) for predicted in self.staged_predict(X)
        )

    @keeps_modes
    def _staged(self, X, read):
        """Yield ``read(loss, scores)`` as of each recorded epoch; what is wrong is said at once."""
        snapshots = self._get_snapshots("the staged_ methods")
        X = samples_on(check_X(self, X), self._device)
        return self._read_stages(snapshots, X, read)

    def _read_stages(self, snapshots, X, read):
        loss = keeps_modes(copy_module)(self.loss_, "loss")

        @keeps_modes
        @torch.no_grad()
        def read_at(epoch, scores):
            snapshots.load_loss(loss, epoch)
            return read(loss, scores)

        yield from map(read_at, snapshots.epochs, staged_scores(self.module_, snapshots, snapshots.epochs, X))

    def _get_snapshots(self, what):
        check_is_fitted(self, "net_")
        check_state_is_whole(self._state, what)
        if self._state.snapshots is None:
            raise ValueError(f"{what}: the weights of earlier epochs were not kept; fit with snapshots=True.")
        if not self._state.snapshots.epochs:
            raise ValueError(f"{what}: the weights of no epoch were kept, see record_epochs.")
        return self._state.snapshots

    def _what_to_record(self, record):
        record = without_choice(self.record) if record is None else record
        check_record(record)
        check_all_samples(record, "replay")
        return tuple(record) or ("samples", "geometry")


def decision_values(scores):
    """Scores as ``decision_function`` gives them."""
    scores = scores.cpu().numpy()
    return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores


def _choose(epochs, recorded):
    if epochs is None:
        return list(recorded)
    epochs = [recorded[-1] if epoch == -1 else epoch for epoch in np.atleast_1d(epochs).tolist()]
    missing = [epoch for epoch in epochs if epoch not in recorded]
    if missing:
        raise ValueError(
            f"The weights of epochs {missing} were not kept; there are those of {list(recorded)}"
            f"{_nearest(missing, recorded)}."
        )
    if not epochs or epochs != sorted(set(epochs)):
        raise ValueError(f"epochs must be at least one, in increasing order, got {epochs}.")
    return epochs


def _nearest(missing, recorded):
    """The kept epochs on either side of those that were not kept, in words."""
    near = set()
    for epoch in filter(is_number, missing):
        near |= set(
            [own for own in recorded if own < epoch][-1:] + [own for own in recorded if own > epoch][:1]
        )
    return (
        f", of which the nearest {'are' if len(near) > 1 else 'is'} {in_words(sorted(near))}" if near else ""
    )

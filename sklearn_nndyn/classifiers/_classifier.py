"""DynamicsClassifier, the estimator.

Longer than 300 lines: more than half of them document what the user sees, where it is defined.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import copy, deepcopy
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.classifiers._inputs import check_validation_pair
from sklearn_nndyn.classifiers._nested import set_nested, split_nested
from sklearn_nndyn.classifiers._parameters import check_parameters, check_partial
from sklearn_nndyn.classifiers._preparation import prepare_fit
from sklearn_nndyn.classifiers._replay import ReplayMixin, decision_values
from sklearn_nndyn.classifiers._results import BORN_IN_FIT
from sklearn_nndyn.classifiers._sklearn_callbacks import CallbackBridge, CallbackSupportMixin, with_callbacks
from sklearn_nndyn.classifiers._validation import check_X, labels_to_compare
from sklearn_nndyn.classifiers.checkpoint import Checkpoint
from sklearn_nndyn.losses import get_loss, log_proba, probabilities
from sklearn_nndyn.utils.modules import score_in_chunks
from sklearn_nndyn.utils.networks.copying import copies_without_graph, copy_module
from sklearn_nndyn.utils.networks.evaluation import keeps_modes, unchanged
from sklearn_nndyn.utils.rows.arrays import samples_on
from sklearn_nndyn.utils.rows.datasets import open_labelled

ModuleLike = torch.nn.Module | type[torch.nn.Module] | Callable | object | None
SnapshotsLike = bool | str | int | os.PathLike
ScheduleLike = str | int | Sequence[int] | Callable[[int], bool]


def _loss_has_probabilities(estimator):
    loss = getattr(estimator, "loss_", None)
    if loss is None:
        try:
            loss = get_loss(estimator.loss)
        except (TypeError, ValueError):
            return True  # fit will say what is wrong with it
    if not hasattr(loss, "predict_proba"):
        raise AttributeError(
            f"loss={estimator.loss!r} acts on raw scores and gives no probabilities; use decision_function, or a loss "
            'with probabilities such as "log".'
        )
    return True


class DynamicsClassifier(ReplayMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """A neural classifier that remembers how it learned every sample.

    A scikit-learn classifier for any torch module and any of the library's losses. After ``fit`` it holds, in
    ``dynamics_``, the loss, margin and prediction of every training sample as of every epoch, and the class
    centroids of every hidden layer; and the weights of each epoch, from which the same can be had afterwards for
    any other labelled data (:meth:`replay`).

    Parameters
    ----------
    module : None, architecture, torch.nn.Module class or instance, or callable, default=None
        The network. ``None`` is :class:`~sklearn_nndyn.modules.MLP` with one hidden layer of 100; to search over its
        parameters (``module__hidden_layer_sizes``) write ``module=MLP()``. A callable is called as
        ``module(input_shape, n_classes)``. An instance keeps its weights, so that a network trained before goes on
        from where it is; frozen parameters (``requires_grad=False``) stay as they are. It is copied for each fit, and
        so is whatever a callable returns: what is given is never changed, and no two fits share a tensor. It gives a
        score for each class: as a tensor, as the first of several things, or as ``logits`` of a dict or object; or
        one number z for two classes, whose scores are then 0 and z (by softmax the probability of ``classes_[1]`` is
        sigmoid(z)).
    reinitialize : bool, default=False
        Whether to draw the weights of an instance anew from ``random_state``, by its layers' ``reset_parameters``.
    loss : str, ClassificationLoss, torch.nn.Module or callable, default="log"
        The loss to minimise: a name of :func:`~sklearn_nndyn.losses.loss_names`, or what
        :func:`~sklearn_nndyn.losses.get_loss` takes.
    optimizer : str or torch.optim.Optimizer class, default="adam"
        ``"adam"``, ``"adamw"``, ``"sgd"``, ... or the class.
    lr : float, default=1e-3
        Learning rate.
    weight_decay : float, default=0.0
        Handed to the optimizer: an L2 penalty, for AdamW decoupled.
    optimizer_params : dict, default=None
        Further parameters of the optimizer, such as ``{"momentum": 0.9}`` for ``"sgd"``.
    batch_size : int, "auto" or "full", default="auto"
        Samples of a step. ``"auto"``: min(200, n_samples). ``"full"``: all of them. With batch normalisation a
        last batch of one sample joins the batch before it.
    num_workers : int, default=0
        Processes that read the samples of a torch Dataset, while the network is trained and recorded; each Dataset that
        is read anew has its own. The result is the same to the bit. 0 reads in this process; arrays need none.
    max_epochs : int, default=50
        Passes over the training samples.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    batch_transform : callable, default=None
        Augmentation: ``batch_transform(batch, generator)`` gives what is trained on in place of a batch, a tensor of
        shape (n_batch, ...) or, where X is a dict, a dict of tensors. It has as many rows, in the same order, of any
        shape that the module takes; labels stay. The batch is its own to write into. What is random is to be drawn
        from the ``torch.Generator`` that it is given, which lies on the data's device and is seeded by
        ``random_state``; torch's and NumPy's global generators are fixed too. It is called for the batches of
        training alone, never to record, replay, validate or predict. Each fit calls a copy of it.
    record : tuple of str or objects, default=("samples", "geometry")
        What to record. ``"samples"``: loss, margin, prediction and the probability of the true class, 13 bytes a
        sample and epoch (up to 127 classes), or 9 with a loss that has no probabilities.
        ``"geometry"``: class centroids of each hidden layer and the norms of the weights. ``"scores"``: all raw
        scores. ``"gradients"``: the norm of each sample's gradient. ``"reconstruction"``: how well the last hidden
        layer gives the input back. ``"probe"``: what a fresh classifier makes of it. In place of names objects that
        say more: :class:`~sklearn_nndyn.recording.Samples` (which samples, and when: also as their batches pass in
        training, without a pass of their own), :class:`~sklearn_nndyn.recording.Geometry` (which layers; feature maps
        are averaged over their positions), :class:`~sklearn_nndyn.recording.Gradients`,
        :class:`~sklearn_nndyn.recording.Reconstruction`, :class:`~sklearn_nndyn.recording.Probe`. Empty: no record.
        Past 512 MiB a record lies in temporary files (in the folder of ``tempfile.gettempdir()``).
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to record: every epoch, at 0 and the powers of two, every so many epochs, at these, or where the callable
        of the epoch is true. Epoch 0 is the network before its first update; epoch e is the network in evaluation
        mode as if ``fit`` had stopped there.
    record_iterations : {"auto", "all", "log"}, int, sequence of int, callable, or None, default="auto"
        When to record, counted in updates of the weights in place of epochs: ``"log"`` is before the first update and
        after 1, 2, 4, 8, ... of them. An entry within an epoch stands in the record at a fraction of it. None: by
        epochs. ``"auto"``: ``"log"`` and the last epoch where ``"reconstruction"`` or ``"probe"`` is recorded and
        ``record_epochs`` is left alone, for much of what they show happens early, and each time takes them about a
        second; else None.
    snapshots : bool, "trainable", int, str or os.PathLike, default=True
        Whether to keep the weights as of each recorded epoch, for :meth:`replay`, :meth:`at_epoch` and the
        ``staged_`` methods. Past 512 MiB they go to a temporary file. ``"trainable"`` keeps parameters that learn,
        and buffers; frozen ones once. An int keeps every so many recorded epochs, the first included. A folder: in
        it each fit makes one of its own (``fit-1``, ``fit-2``, ...) with a safetensors file for each epoch, the
        ``state_dict`` of the network under its own names; the estimator then holds their paths, and a pickle of it no
        weights but those of the trained network: files do not travel with it, and are never deleted.
    validation_fraction : float, default=None
        Share of the training samples to hold out, stratified, where no ``X_val`` is given.
    early_stopping : bool, default=False
        Stop when what ``monitor`` names has not improved by ``tol`` for ``n_iter_no_change`` epochs, and restore the
        weights of the best epoch. With ``warm_start`` patience goes on over calls of ``fit`` on the same samples.
    monitor : str or callable, default="auto"
        What early stopping and ``best_epoch_`` watch. ``"valid_acc"``, ``"valid_loss"``: accuracy and mean loss of the
        validation samples; where classes are rare, accuracy says little and the loss much. ``"train_loss"``: the
        mean loss of training. ``"refined_loss"``: the log loss of the validation samples when their scores are
        divided by the temperature that suits them best, for a network whose probabilities are calibrated afterwards
        (``CalibratedClassifierCV(method="temperature")``); it costs a forward pass an epoch. A scorer of scikit-learn
        or its name (``"roc_auc"``, ``"neg_log_loss"``), on the validation samples. ``"auto"``: ``"valid_acc"`` where
        there are validation samples, else ``"train_loss"``.
        ``"reconstruction"``, for pre-training: stop when the first recorded layer has not given its input back better
        than before for so long (on the validation samples where there are some), and restore the weights of the
        recorded epoch at which it did best; where it never did better than before training, training goes on to its
        end, with a warning. Its patience begins anew with each call of ``fit``.
    n_iter_no_change : int, default=10
        Patience of early stopping, in epochs.
    tol : float, default=1e-4
        A change must exceed this to count as an improvement for early stopping.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. ``"balanced"``: every class weighs the same, where
        samples count by their ``sample_weight``. They are of training; validation counts without them.
    callbacks : list of skorch callbacks, default=None
        Handed to the net. scikit-learn's own go through ``set_callbacks``. A callback that watches every batch
        is given every batch, at the price of speed.
    checkpoint : str, os.PathLike or Checkpoint, default=None
        A folder in which ``fit`` writes its whole state at the ends of epochs, at most three percent of the time. After
        a kill the same ``fit``, on the same data with the same parameters, goes on from there to the same bits, its
        record included; a finished one is loaded and not trained again. Each fit has a place of its own there, so that
        folds, seeds and candidates share a folder; :class:`~sklearn_nndyn.Checkpoint` lists and removes them.
        ``random_state`` must be a whole number.
    device : str or torch.device, default="cpu"
        Device to train on; ``"auto"`` takes the first that torch finds of CUDA (or ROCm), MPS and XPU, else the CPU.
        Arrays that take more than half of its free memory stay on the host, from where a few batches at a time are
        copied.
    dtype : {"float32", "float64"}, default="float32"
        The dtype of parameters, scores and probabilities. A full batch of at most 200 samples is summed in double
        precision in either case (for chains of linear layers), so that a weight of two is the same as repeating the
        sample. A device without double precision (MPS) takes ``"float32"`` alone, and computes all in it; ridge
        decoders are then fitted on the CPU.
    precision : {None, "bf16"}, default=None
        ``"bf16"``: the forward passes of training run by :class:`torch.autocast` in bfloat16, which is faster where
        the device multiplies it faster. Weights, updates, the loss of a batch's scores, and all that evaluates
        (records, replay, validation, predictions) stay in float32; what ``Samples(when="training")`` records is of
        the passes of training. None: all in ``dtype``. It can change from one ``fit`` with ``warm_start`` to the next.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights, optimizer and random numbers of the last one.
    random_state : int, RandomState instance or None, default=None
        Fixes initial weights, order of the samples, dropout and the held-out samples. The global generators of
        torch and NumPy are left as they were; what draws from Python's ``random`` is refused. They belong to the whole
        process: where a network draws from them in training (dropout), another thread that seeds them or draws
        meanwhile changes the result; other networks (:class:`~sklearn_nndyn.modules.MLP` with its own dropout
        included) draw from generators of the fit's own.
    verbose : int, default=0
        1 shows a progress bar over epochs with loss and accuracy (training accuracy where samples are recorded).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Size of the first axis of a sample; ``input_shape_`` is its whole shape. Where X is a dict, ``input_shape_`` is
        {name: shape}, and there is no ``n_features_in_``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has string names.
    n_iter_ : int
        Epochs trained.
    loss_curve_ : list of float
        Mean training loss of each epoch, as of each sample's batch.
    validation_scores_ : list of float
        Accuracy on the validation samples after each epoch, where there are some; weighted where they have weights.
    best_epoch_ : int
        With ``early_stopping``, or skorch's callbacks with ``load_best``: the epoch whose weights were restored, a
        fraction for a record within an epoch.
    train_indices_, validation_indices_ : ndarray of int
        With ``validation_fraction``: the rows of X trained on and held out.
    loss_ : ClassificationLoss
        The loss.
    net_ : skorch.NeuralNetClassifier
        The trained net, with ``history``, ``optimizer_`` and ``callbacks_``.
    module_ : torch.nn.Module
        The trained network, ``net_.module_``.
    dynamics_ : Dynamics
        What happened to every training sample at every recorded epoch; row i is row i of X (of
        ``X[train_indices_]`` with ``validation_fraction``).
    validation_dynamics_ : Dynamics
        The same for the validation samples, where there are some.

    Notes
    -----
    Watching changes nothing: the weights after a recorded fit are bitwise those of an unrecorded one.

    Weights are normalised to a mean of one over the samples of positive weight; samples of weight zero are recorded
    but not trained on.

    Training that diverges (a loss that is not finite, or a million times what it was) ends with a
    ``ConvergenceWarning``, and a keyboard interrupt with a ``UserWarning``; model and record are then those of the
    last whole epoch. What an epoch is undone from, a copy of weights and optimizer state, lies in a temporary file
    where it takes 64 MiB or more.
    SIGTERM, where the program does not handle it, ends training in the same way, and then the program: ``fit`` raises
    KeyboardInterrupt once model, record and checkpoint are safe. An interrupt that comes between two epochs waits for
    the next moment at which it can do no harm; a second one ends at once. One that comes before the first epoch begins
    is raised, with the classifier as it was.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01, random_state=0).fit(X, y)
    >>> clf.dynamics_.shape
    (150, 21)
    >>> bool(clf.dynamics_.accuracy[-1] == clf.score(X, y))
    True
    """

    def __init__(
        self,
        module: ModuleLike = None,
        *,
        reinitialize: bool = False,
        loss: str | torch.nn.Module | Callable = "log",
        optimizer: str | type[torch.optim.Optimizer] = "adam",
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        optimizer_params: Mapping[str, Any] | None = None,
        batch_size: int | str = "auto",
        num_workers: int = 0,
        max_epochs: int = 50,
        shuffle: bool = True,
        batch_transform: Callable | None = None,
        record: Sequence = ("samples", "geometry"),
        record_epochs: ScheduleLike = "all",
        record_iterations: ScheduleLike | None = "auto",
        snapshots: SnapshotsLike = True,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        monitor: str | Callable = "auto",
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        class_weight: Mapping | str | None = None,
        callbacks: Sequence | str | None = None,
        checkpoint: str | os.PathLike | Checkpoint | None = None,
        device: str | torch.device = "cpu",
        dtype: str = "float32",
        precision: str | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ):
        self.module = module
        self.reinitialize = reinitialize
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.optimizer_params = optimizer_params
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.max_epochs = max_epochs
        self.shuffle = shuffle
        self.batch_transform = batch_transform
        self.record = record
        self.record_epochs = record_epochs
        self.record_iterations = record_iterations
        self.snapshots = snapshots
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.monitor = monitor
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.device = device
        self.dtype = dtype
        self.precision = precision
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    @cache
    def _get_param_names(cls):
        """Inspected once: scikit-learn does it anew in each of the hundreds of calls that a search makes."""
        return super()._get_param_names()

    def set_params(self, **params) -> "DynamicsClassifier":
        """Set parameters, also those within others.

        Parameters
        ----------
        **params : dict
            Parameters by name. Within others: ``module__x`` (an argument of a class or function; of an architecture
            such as ``MLP()`` a parameter), ``optimizer_params__x`` or ``optimizer__x``, ``loss__x`` (a parameter of one
            of the library's losses), ``callbacks__name__x`` (a parameter of the callback of this name).

        Returns
        -------
        self : DynamicsClassifier
            The estimator itself.

        Raises
        ------
        ValueError
            If there is no such parameter; what to write in its place is said.
        """
        plain, nested = split_nested(self, params)
        super().set_params(**plain)
        for name, inner in nested.items():
            set_nested(self, name, inner)
        return self

    @with_callbacks
    @keeps_modes
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> "DynamicsClassifier":
        """Train the network and record how it learns.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), sparse matrix of shape (n_samples, n_features), dict, or Dataset
            Training samples, of any number of axes (images: n x channels x height x width). Whole numbers (of an
            integer dtype other than uint8) reach the module as int64 where it takes them, as one that begins with an
            embedding does: where it fails with floats, gives the same scores, or ``dtype`` cannot hold the numbers.
            Everything else reaches it in ``dtype``. Large arrays that lie in a file (``numpy.memmap``) or hold bytes
            are never copied whole, and sparse matrices stay sparse: rows are converted a batch at a time. A dict of
            arrays gives each to the module's ``forward`` under its name, floats in ``dtype`` and everything else in
            its own dtype; scikit-learn's splitters need it as ``skorch.helper.SliceDict``.
            A map-style torch Dataset gives ``(x, y)``, and ``y`` is left out, or ``x`` alone; x is a tensor, an array
            or a dict. Where its floats or bytes are large it is read anew whenever rows are needed; it must then give
            the same, so that random changes belong into ``batch_transform``.
        y : array-like of shape (n_samples,), default=None
            Labels of any kind; None for a Dataset that gives them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, 0 or greater.
        X_val, y_val : array-like, default=None
            Validation samples and their labels: recorded in ``validation_dynamics_``, never trained on.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation samples, 0 or greater, in their mean loss and accuracy, and so in what early
            stopping watches. Rows that ``validation_fraction`` holds out have theirs from ``sample_weight``.

        Returns
        -------
        self : DynamicsClassifier
            The estimator itself, fitted.

        Raises
        ------
        ValueError, TypeError
            For parameters or data that cannot be used, before training starts.

        Notes
        -----
        Where training itself fails, the error comes through, and a note on it says what the estimator is: as it was
        before, where it had been fitted and began anew, or in its first epoch; else as it was after its last whole
        epoch.
        """
        check_parameters(self)
        X, y = open_labelled(X, y, num_workers=self.num_workers)
        X_val, y_val = open_labelled(X_val, y_val, "X_val", num_workers=self.num_workers)
        check_validation_pair(X_val, y_val, sample_weight_val)
        again = self.warm_start and hasattr(self, "net_")
        prepared = prepare_fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val, again=again)
        return self._train(prepared, self.max_epochs, {"X": X, "y": y, "sample_weight": sample_weight})

    @with_callbacks
    @keeps_modes
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "DynamicsClassifier":
        """Train for one more epoch.

        As many calls with the same samples as ``fit`` has epochs give what ``fit`` gives, its record included. With
        other samples the record starts again, at the epoch reached.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...), sparse matrix, dict, or Dataset
            Training samples, as in ``fit``.
        y : array-like of shape (n_samples,), default=None
            Their labels; None for a Dataset that gives them.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call if ``y`` does not hold them all.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, 0 or greater.

        Returns
        -------
        self : DynamicsClassifier
            The estimator itself, trained one epoch further.

        Raises
        ------
        ValueError, TypeError
            For parameters or data that cannot be used, before training starts; for ``early_stopping`` and
            ``validation_fraction``, which are of a whole fit.
        """
        check_parameters(self)
        check_partial(self)
        X, y = open_labelled(X, y, num_workers=self.num_workers)
        again = hasattr(self, "net_")
        prepared = prepare_fit(self, X, y, sample_weight, again=again, classes=classes, partial=True)
        return self._train(prepared, 1, {"X": X, "y": y, "sample_weight": sample_weight})

    @keeps_modes
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Decide on a class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels as given to ``fit``.
        """
        scores = self._scores(X)
        return self.classes_[self.loss_.decide(scores).cpu().numpy()]

    @available_if(_loss_has_probabilities)
    @keeps_modes
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Probabilities of the classes; only where the loss has some.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to one.

        Notes
        -----
        Calibrated are, at best, those of a proper loss (``loss_.proper``): ``"log"`` and
        ``"regularized_expectation"``. Others are off by what they are made for: the most probable class was given 0.16
        less than the accuracy by ``"focal"``, 0.15 less by ``"squared_log"``, 0.12 less by ``"cauchy_schwarz"``, and
        0.11 more by ``"expectation"`` (held-out images). ``"label_smoothing"`` too gives less; ``"chebyshev"``,
        ``"tanimoto"``, ``"generalized_cross_entropy"``, ``"symmetric_cross_entropy"`` and ``"poly1"`` more. One number,
        the temperature, mends most of that: ``CalibratedClassifierCV(clf, method="temperature")`` of scikit-learn.
        """
        scores = self._scores(X)
        with torch.no_grad():
            return probabilities(self.loss_, scores).cpu().numpy()

    @available_if(_loss_has_probabilities)
    @keeps_modes
    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Logarithms of the probabilities; only where the loss has some.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in ``fit``.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; by log-softmax, so finite where the probability itself is too small for the
            dtype. Where a custom loss gives the probabilities, their logarithm.
        """
        scores = self._scores(X)
        with torch.no_grad():
            return log_proba(self.loss_, scores).cpu().numpy()

    @keeps_modes
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Raw scores of the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes the score of ``classes_[1]`` minus that of ``classes_[0]``.
        """
        return decision_values(self._scores(X))

    def score(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Accuracy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...), or Dataset
            Samples of the shape seen in ``fit``.
        y : array-like of shape (n_samples,), default=None
            Their labels; None for a Dataset that gives them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        accuracy : float
            Share of the samples, or of their weights, that are predicted right.
        """
        X, y = open_labelled(X, y, num_workers=self.num_workers)
        return super().score(X, labels_to_compare(y), sample_weight)

    def __sklearn_clone__(self):
        """Clone a module too that ``copy.deepcopy`` alone refuses: pruned, or with layers that are still lazy."""
        if not isinstance(self.module, torch.nn.Module):
            return super().__sklearn_clone__()
        without = copy(self)
        without.module = None
        requests = vars(without).pop("_metadata_request", None)
        twin = super(DynamicsClassifier, without).__sklearn_clone__()
        twin.module = copy_module(self.module)
        if requests is not None:
            twin._metadata_request = deepcopy(requests, {id(self): twin})
        return twin

    def __deepcopy__(self, memo):
        """Copy a module too that ``copy.deepcopy`` alone refuses; what is fitted copies its own."""
        for given in (self.module, self.loss):
            if isinstance(given, torch.nn.Module) and id(given) not in memo:
                memo.update(copies_without_graph(given))
        twin = memo[id(self)] = object.__new__(type(self))
        vars(twin).update({name: deepcopy(value, memo) for name, value in vars(self).items()})
        return twin

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def module_(self) -> torch.nn.Module:
        """The trained network."""
        return self.net_.module_

    def _scores(self, X):
        if "net_" not in self.__dict__:  # check_is_fitted alone costs a tenth of the call for one sample
            check_is_fitted(self, "net_")
        X = samples_on(check_X(self, X), self.net_.device)
        with unchanged(self.module_) if self._state.changes else nullcontext():
            return score_in_chunks(self.module_, X)

    @property
    def _device(self):
        """Device of the trained network."""
        return next(self.module_.parameters()).device

    def _train(self, prepared, epochs, given):
        bridge = CallbackBridge(self, epochs, given, prepared) if self._has_sklearn_callbacks else None
        if bridge is not None:
            prepared.fit.hooks.append(bridge)
        try:
            prepared.train(epochs)
        except BaseException as error:
            error.add_note(f"The {type(self).__name__} is {prepared.outcome}.")
            raise
        finally:
            if bridge is not None:
                bridge.close()
        return self

    @property
    def _has_sklearn_callbacks(self):
        return hasattr(self, "_skl_callbacks") or hasattr(self, "_parent_callback_ctx")

    def _keep(self, attributes):
        """Replace the attributes born in fit, all of them at once: the one place where they are set."""
        others = {name: value for name, value in self.__dict__.items() if name not in BORN_IN_FIT}
        self.__dict__ = others | {name: attributes[name] for name in BORN_IN_FIT if name in attributes}

"""DynamicsClassifier, the estimator.

Longer than 300 lines: half of them are the parameters' documentation, which lives where they are stored.
"""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.classifiers._data import Task, TrainingData, as_tensor
from sklearn_nndyn.classifiers._net import DynamicsNet
from sklearn_nndyn.classifiers._optimizers import accepts, find_optimizer
from sklearn_nndyn.classifiers._program import needs_two_rows
from sklearn_nndyn.classifiers._replaying import ReplayMixin, decision_values
from sklearn_nndyn.classifiers._sklearn_callbacks import (
    CallbackSupportMixin,
    callback_bridges,
    with_callbacks,
)
from sklearn_nndyn.classifiers._validation import (
    check_module,
    check_parameters,
    check_sample_weight,
    check_two_classes,
    check_validation_pair,
    check_X,
    check_X_y,
    combine_weights,
    encode,
    find_device,
    split_off,
)
from sklearn_nndyn.classifiers._watchers import (
    DivergenceGuard,
    EarlyStopping,
    ProgressBar,
    Recording,
    Validation,
)
from sklearn_nndyn.dynamics import concatenate_epochs
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import build_module
from sklearn_nndyn.recording import Snapshots, make_schedule
from sklearn_nndyn.recording._random import RandomState, untouched_generators
from sklearn_nndyn.recording._recorder import score_in_chunks

AUTO_BATCH_SIZE = 200
BORN_IN_FIT = ("dynamics_", "validation_dynamics_", "validation_scores_", "best_epoch_", "train_indices_",
               "validation_indices_", "_snapshots", "_fingerprints", "net_")  # fmt: skip


def _loss_has_probabilities(estimator):
    loss = getattr(estimator, "loss_", None)
    if loss is None:
        try:
            loss = get_loss(estimator.loss)
        except (TypeError, ValueError):
            return True  # fit will tell what is wrong with it
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
        The network. ``None`` is :class:`~sklearn_nndyn.modules.MLP` with one hidden layer of 100. An instance is
        copied and its layers re-initialised. A callable is called as ``module(input_shape, n_classes)``.
    loss : str, ClassificationLoss, torch.nn.Module or callable, default="log"
        What is minimised: a name of :func:`~sklearn_nndyn.losses.loss_names`, or what
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
    max_epochs : int, default=50
        Passes over the training samples.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    record : tuple of {"samples", "geometry", "scores"}, default=("samples", "geometry")
        What to look at. ``"samples"``: loss, margin and prediction, 9 bytes a sample and epoch (up to 127 classes).
        ``"geometry"``: class centroids of each hidden layer and the norms of the weights. ``"scores"``: all raw
        scores. Empty: no record.
    record_epochs : {"all", "log"}, int, sequence of int, or callable, default="all"
        When to look: every epoch, at 0 and the powers of two, every so many epochs, at these, or where the callable
        of the epoch is true. Epoch 0 is the network before its first update; epoch e is the network in evaluation
        mode as if ``fit`` had stopped there.
    snapshots : bool, default=True
        Whether to keep the weights as of each recorded epoch, for :meth:`replay`, :meth:`at_epoch` and the
        ``staged_`` methods. Past 512 MiB they go to a temporary file.
    validation_fraction : float, default=None
        Share of the training samples to hold out, stratified, where no ``X_val`` is given.
    early_stopping : bool, default=False
        Stop when validation accuracy (without validation samples: the training loss) has not improved by ``tol``
        for ``n_iter_no_change`` epochs, and restore the weights of the best epoch.
    n_iter_no_change : int, default=10
        Patience of early stopping, in epochs.
    tol : float, default=1e-4
        What counts as an improvement for early stopping.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``.
    callbacks : list of skorch callbacks, default=None
        Handed to the net. scikit-learn's own go through ``set_callbacks``. A callback that watches every batch
        is given every batch, at the price of speed.
    device : str or torch.device, default="cpu"
        Where to train; ``"auto"`` takes an accelerator where there is one.
    dtype : {"float32", "float64"}, default="float32"
        Of parameters, scores and probabilities. A full batch of at most 200 samples is summed in double precision
        in either case (for chains of linear layers), so that a weight of two is the same as repeating the sample.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights, optimizer and random numbers of the last one.
    random_state : int, RandomState instance or None, default=None
        Fixes initial weights, order of the samples, dropout and the held-out samples. The global generators of
        torch and NumPy are left as they were.
    verbose : int, default=0
        1 shows a progress bar over epochs with loss and accuracy (training accuracy where samples are recorded).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Size of the first axis of a sample; ``input_shape_`` is its whole shape.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has string names.
    n_iter_ : int
        Epochs trained.
    loss_curve_ : list of float
        Mean training loss of each epoch, as of each sample's batch.
    validation_scores_ : list of float
        Accuracy on the validation samples after each epoch, where there are some.
    best_epoch_ : int
        With ``early_stopping``: the epoch whose weights were restored.
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
    last whole epoch.

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
        module=None,
        *,
        loss="log",
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        optimizer_params=None,
        batch_size="auto",
        max_epochs=50,
        shuffle=True,
        record=("samples", "geometry"),
        record_epochs="all",
        snapshots=True,
        validation_fraction=None,
        early_stopping=False,
        n_iter_no_change=10,
        tol=1e-4,
        class_weight=None,
        callbacks=None,
        device="cpu",
        dtype="float32",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.module = module
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.optimizer_params = optimizer_params
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.shuffle = shuffle
        self.record = record
        self.record_epochs = record_epochs
        self.snapshots = snapshots
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train the network and record how it learns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples, of any number of axes (images: n x channels x height x width).
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, 0 or greater.
        X_val, y_val : array-like, default=None
            Validation samples and their labels: recorded in ``validation_dynamics_``, never trained on.

        Returns
        -------
        self : DynamicsClassifier

        Raises
        ------
        ValueError, TypeError
            For parameters or data that cannot be used, before training starts.
        """
        again = self.warm_start and hasattr(self, "net_")
        with _kept_unless_all_is_well(self):
            check_parameters(self)
            check_validation_pair(X_val, y_val)
            task = self._make_task(X, y, sample_weight, X_val, y_val, again=again)
            self._prepare(task, again)
        return self._train(task, self.max_epochs, {"X": X, "y": y, "sample_weight": sample_weight})

    @with_callbacks
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch.

        As many calls with the same samples as ``fit`` has epochs give what ``fit`` gives, its record included. With
        other samples the record starts again, at the epoch reached.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call if ``y`` does not hold them all.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, 0 or greater.

        Returns
        -------
        self : DynamicsClassifier
        """
        again = hasattr(self, "net_")
        with _kept_unless_all_is_well(self):
            check_parameters(self)
            task = self._make_task(
                X, y, sample_weight, None, None, again=again, classes=classes, partial=True
            )
            self._prepare(task, again)
        return self._train(task, 1, {"X": X, "y": y, "sample_weight": sample_weight})

    def predict(self, X):
        """Decide on a class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels as given to ``fit``.
        """
        scores = self._scores(X)
        return self.classes_[self.loss_.decide(scores).cpu().numpy()]

    @available_if(_loss_has_probabilities)
    def predict_proba(self, X):
        """Probabilities of the classes; only where the loss has some.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to one.
        """
        scores = self._scores(X)
        with torch.no_grad():
            return self.loss_.predict_proba(scores).cpu().numpy()

    def decision_function(self, X):
        """Raw scores of the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes the score of ``classes_[1]`` minus that of ``classes_[0]``.
        """
        return decision_values(self._scores(X))

    @property
    def module_(self):
        """The trained network."""
        return self.net_.module_

    def _scores(self, X):
        if "net_" not in vars(self):  # check_is_fitted alone costs a tenth of the call for one sample
            check_is_fitted(self, "net_")
        X = as_tensor(check_X(self, X), self.net_.device)
        return score_in_chunks(self.module_, X)

    @property
    def _device(self):
        """Where the trained network lies."""
        return next(self.module_.parameters()).device

    def _make_task(self, X, y, sample_weight, X_val, y_val, *, again, classes=None, partial=False):
        X, y = check_X_y(self, X, y, reset=not again)
        if not again:
            self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._find_classes(y, classes, again, partial)
        positions = encode(y, self.classes_)
        sample_weight = check_sample_weight(sample_weight, X)
        rows = {"train": np.arange(len(X))}
        if self.validation_fraction is not None and not partial:
            rows = self._hold_out(positions, X_val)
        train = rows["train"]
        weight = combine_weights(
            sample_weight[train],
            self.class_weight,
            positions[train],
            self.classes_,
            one_class_will_do=partial,
        )
        device = self._device if again else find_device(self.device)
        watched = {name: _on_device(device, X, positions, chosen) for name, chosen in rows.items()}
        labels = {name: y[chosen] for name, chosen in rows.items()}
        if X_val is not None:
            X_val, labels["validation"] = _named("X_val, y_val", check_X_y, self, X_val, y_val, reset=False)
            watched["validation"] = _on_device(
                device, X_val, encode(labels["validation"], self.classes_, "y_val")
            )
        return Task(_trained(watched["train"], weight), watched, labels)

    def _find_classes(self, y, classes, again, partial):
        if classes is not None:
            classes = np.unique(classes)
        if again:
            if classes is not None and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"classes={classes} differs from the classes of the first call, {self.classes_}."
                )
            return
        what = "y" if classes is None else "classes"
        self.classes_ = np.unique(y) if classes is None else classes
        hint = " Give all labels that will come in classes=." if partial and what == "y" else ""
        check_two_classes(self.classes_, what, hint)

    def _hold_out(self, positions, X_val):
        if X_val is not None:
            raise ValueError("Give either X_val and y_val or validation_fraction, not both.")
        train, validation = split_off(positions, self.validation_fraction, self._seed)
        self.train_indices_, self.validation_indices_ = train, validation
        return {"train": train, "validation": validation}

    def _prepare(self, task, again):
        """The last of what can go wrong before training."""
        if not again:
            self._start(task)
        net = self.net_
        batch_size = self._count_batch(len(task.data.X))
        if needs_two_rows(net.module_) and batch_size == 1:
            raise ValueError(
                "module holds batch normalisation, which needs batches of at least 2 samples: set batch_size to 2 or "
                f"more; {len(task.data.X)} samples were given."
            )
        if not again:
            check_module(net.module_, self.loss_, task.data, len(self.classes_))
        net.batch_size = batch_size

    def _train(self, task, epochs, given):
        net = self.net_
        recording = self._make_recording(task, range(len(net.history), len(net.history) + epochs + 1))
        bridges = callback_bridges(self, epochs, given, self._as_fitted)
        with self._shuffling.as_generator(torch.Generator()) as shuffler:
            try:
                net.train(
                    task.data,
                    task.watched.get("validation"),
                    epochs,
                    shuffler=shuffler if self.shuffle else None,
                    random_state=self._randomness,
                    watchers=[*self._watchers(task, recording, epochs), *bridges],
                )
            finally:
                self._keep(task, recording)
        for bridge in bridges:
            bridge.close()
        return self

    def _start(self, task):
        for name in BORN_IN_FIT:
            if name not in ("train_indices_", "validation_indices_") or self.validation_fraction is None:
                self.__dict__.pop(name, None)
        self.loss_ = get_loss(self.loss)
        self._fingerprints = {}
        self._randomness = RandomState(self._seed, task.data.X.device)
        self._shuffling = RandomState(self._seed)
        self.net_ = self._make_net(self._randomness, self.callbacks, task.data.X.device)

    def _make_net(self, random_state, callbacks, device):
        optimizer = find_optimizer(self.optimizer)
        settings = dict(self.optimizer_params or {})
        if accepts(optimizer, "weight_decay"):
            settings.setdefault("weight_decay", self.weight_decay)
        if accepts(optimizer, "fused") and device.type in ("cpu", "cuda"):
            settings.setdefault("fused", True)
        build = partial(
            _build, self.module, self.input_shape_, len(self.classes_), getattr(torch, self.dtype)
        )
        net = DynamicsNet(
            build,
            criterion=self.loss_,
            optimizer=optimizer,
            lr=self.lr,
            max_epochs=self.max_epochs,
            train_split=None,
            callbacks=callbacks,
            device=device,
            verbose=0,
            classes=np.arange(len(self.classes_)),
            predict_nonlinearity=getattr(self.loss_, "predict_proba", None),
            **{f"optimizer__{name}": value for name, value in settings.items()},
        )
        with random_state:
            return net.initialize()

    def _net_with(self, state):
        """A net like ``net_`` with other weights, and an optimizer that begins anew."""
        with untouched_generators(self._device):
            net = clone(self.net_).initialize()
        net.module_.load_state_dict(state)
        net.module_.eval()
        return net

    def _count_batch(self, n_samples):
        if self.batch_size == "full":
            return n_samples
        if self.batch_size == "auto":
            return min(AUTO_BATCH_SIZE, n_samples)
        return min(self.batch_size, n_samples)

    def _make_recording(self, task, epochs):
        schedule = make_schedule(self.record_epochs)
        if self.snapshots and not hasattr(self, "_snapshots"):
            self._snapshots = Snapshots(self.module_, sum(map(schedule, epochs)))
        snapshots = self._snapshots if self.snapshots else None
        return Recording(
            task.watched, self.loss_, tuple(self.record), schedule, snapshots, len(self.classes_), epochs
        )

    def _watchers(self, task, recording, epochs):
        watchers = [DivergenceGuard(), recording]
        validated = "validation" in task.watched
        if validated:
            watchers.append(Validation(task.watched["validation"], recording))
        if self.early_stopping:
            monitor = "valid_acc" if validated else "train_loss"
            self._stopper = EarlyStopping(monitor, self.n_iter_no_change, self.tol)
            watchers.append(self._stopper)
        if self.verbose:
            watchers.append(ProgressBar(epochs, recording))
        return watchers

    def _keep(self, task, recording):
        history = self.net_.history
        self.module_.eval()
        self.n_iter_ = len(history)
        self.loss_curve_ = [line["train_loss"] for line in history]
        if "validation" in task.watched:
            self.validation_scores_ = [line["valid_acc"] for line in history if "valid_acc" in line]
        stopper = self.__dict__.pop("_stopper", None)
        if stopper is not None and stopper.best_epoch is not None:
            self.best_epoch_ = stopper.best_epoch
        for name, attribute in (("train", "dynamics_"), ("validation", "validation_dynamics_")):
            recorder = recording.recorders.get(name)
            if recorder is not None and recorder.epochs:
                record = recorder.dynamics(task.labels[name], self.classes_, self._header(recording.seconds))
                seen = _fingerprint(recorder.X)
                if self._fingerprints.get(name) == seen:
                    record = _continued(getattr(self, attribute), record)
                setattr(self, attribute, record)
                self._fingerprints = {**self._fingerprints, name: seen}

    def _header(self, seconds):
        return {
            "estimator": type(self).__name__,
            "loss": self.loss if isinstance(self.loss, str) else type(self.loss_).__name__,
            "parameters": {name: _plain(value) for name, value in self.get_params(deep=False).items()},
            "seed": int(self._seed),
            "versions": {
                "torch": torch.__version__,
                "scikit-learn": sklearn.__version__,
                "numpy": np.__version__,
            },
            "seconds_per_epoch": list(seconds),
        }

    def _as_fitted(self):
        net = self._net_with({name: value.clone() for name, value in self.module_.state_dict().items()})
        return {"net_": net, "n_iter_": len(self.net_.history)}


@contextmanager
def _kept_unless_all_is_well(estimator):
    """What was computed before stays if what happens inside fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _on_device(device, X, positions, rows=None):
    if rows is not None and len(rows) < len(X):
        X, positions = X[rows], positions[rows]
    return TrainingData(as_tensor(X, device), as_tensor(positions.astype(np.int64), device))


def _trained(data, weight):
    """The rows of positive weight."""
    if weight is None:
        return data
    weight = torch.as_tensor(weight, device=data.X.device)
    used = weight > 0
    return TrainingData(data.X[used], data.y[used], weight[used])


def _named(name, check, *args, **kwargs):
    """Run a check whose message is to say what it is about."""
    try:
        return check(*args, **kwargs)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from error


def _build(module, input_shape, n_classes, dtype):
    built = build_module(module, input_shape, n_classes).to(dtype)
    if not any(p.requires_grad for p in built.parameters()):
        raise ValueError(f"module {type(built).__name__} has no parameters: there is nothing to train.")
    return built


def _fingerprint(X):
    """A number that tells data sets, and orders of their rows, apart."""
    X = X.flatten(1)
    of_columns = torch.arange(1, X.shape[1] + 1, dtype=X.dtype, device=X.device)
    of_rows = torch.arange(1, len(X) + 1, dtype=torch.float64, device=X.device)
    return tuple(X.shape), float((X @ of_columns).double() @ of_rows)


def _continued(earlier, record):
    """The two as one record, or the later one alone where it does not begin as the earlier one ends."""
    if earlier.fields != record.fields or not np.array_equal(earlier.y, record.y):
        return record
    if earlier.epochs[-1] < record.epochs[0]:
        return concatenate_epochs(earlier, record)
    last, first = earlier.select_epochs(earlier.epochs[-1:]), record.select_epochs(record.epochs[:1])
    pairs = zip(named_arrays(last), named_arrays(first), strict=True)
    if not all(
        a.tobytes() == b.tobytes() for (field, _, a), (_, _, b) in pairs if field not in ("y", "classes")
    ):
        return record
    if record.n_epochs == 1:
        return earlier
    header = {**record.header, "seconds_per_epoch": record.header["seconds_per_epoch"][1:]}
    return concatenate_epochs(earlier, replace(record.select_epochs(record.epochs[1:]), header=header))


def _plain(value):
    """A parameter as JSON can hold it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)

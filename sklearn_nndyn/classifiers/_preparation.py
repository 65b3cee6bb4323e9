"""One fit, from parameters and data to a net that is ready to be trained; the estimator is not touched.

A little longer than 300 lines: one way from what was given to the outcome, in short functions.
"""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from sklearn_nndyn.classifiers._inputs import FitInputs, validate_inputs
from sklearn_nndyn.classifiers._monitor import stopper_and_score
from sklearn_nndyn.classifiers._results import fitted_attributes
from sklearn_nndyn.classifiers._state import (
    FitState,
    check_state_is_whole,
    refuse_fixed,
    remember_parameters,
    use_changes,
)
from sklearn_nndyn.classifiers.checkpoint import opened
from sklearn_nndyn.losses import loss_for_fit
from sklearn_nndyn.recording import check_recorded, check_same_kind, make_record_schedule
from sklearn_nndyn.training import (
    BatchTransform,
    DynamicsNet,
    EpochLoop,
    ModuleFactory,
    NetworkFit,
    as_list,
    check_ids,
    check_monitors,
    check_once,
    check_patterns,
    count_steps,
    find_optimizer,
    needs_two_rows,
    optimizer_settings,
    verbosity,
)
from sklearn_nndyn.utils.networks.devices import autocast_of
from sklearn_nndyn.utils.signals import held_signals
from sklearn_nndyn.utils.warnings import warn_user

AUTO_BATCH_SIZE = 200
DRY_RUN_ROWS = 32


@dataclass(eq=False)
class PreparedFit:
    """A fit that is checked and ready to be trained.

    Parameters
    ----------
    estimator : DynamicsClassifier
        The estimator, unchanged; `conclude` sets the fitted attributes.
    inputs : FitInputs
    state : FitState
    fit : NetworkFit
    again : bool
        Whether training goes on from the estimator's own network.
    """

    estimator: object
    inputs: FitInputs
    state: FitState
    fit: NetworkFit
    again: bool

    def __post_init__(self):
        self.begun_with = len(self.fit.net.history)
        self.keeps_old = False

    @property
    def replaces(self):
        """Whether there is an older model, which this fit would take the place of."""
        return hasattr(self.estimator, "net_") and not self.again

    @property
    def n_trained(self):
        """Whole epochs that were trained."""
        return len(self.fit.net.history) - self.begun_with

    def train(self, epochs=None):
        """Train by itself, and set what the fit leaves behind, however it ends.

        Returns
        -------
        interrupted : bool
        """
        loop = EpochLoop(self.fit, epochs)
        with held_signals() as loop.signals:
            try:
                with nullcontext() if self.estimator.checkpoint is None else opened([self]):
                    loop.run()
            except BaseException as error:
                self.conclude(loop, error)
                raise
            self.conclude(loop)
            if loop.interrupted and not loop.signals.terminating:  # that is told by an error, at the end
                self._warn_of_interrupt()
        return loop.interrupted

    def leave_untrained(self):
        """Leave an older model as it is, else an untrained one: training never came to this fit."""
        if not self.replaces:
            self.train(0)

    def conclude(self, loop, error=None):
        """Set the attributes born in fit, or leave an older model where this fit came to nothing."""
        fingerprints = dict(self.state.fingerprints)
        try:
            self._conclude(loop, error)
        except BaseException:  # a second interrupt acts at once, also here
            if self.again:  # the older network itself was trained on: what belongs to it is set all the same
                self.state.fingerprints = fingerprints
                self._conclude(loop, error)
            raise

    def _conclude(self, loop, error):
        nothing = self.n_trained == 0
        if not loop.begun:
            self.keeps_old = True
        elif loop.interrupted or isinstance(error, KeyboardInterrupt):
            self.keeps_old = self.replaces and nothing
        elif error is not None:
            self.keeps_old = not self.again and (self.replaces or nothing)
        if not self.keeps_old:
            self.fit.net.module_.eval()
            self.state.stopper = self.fit.lasting_stopper
            self.estimator._keep(fitted_attributes(self))

    @property
    def outcome(self):
        """What the estimator is after a fit that failed, for a message."""
        if not self.keeps_old:
            return f"as it was after epoch {len(self.fit.net.history)}"
        return "as it was before this fit" if hasattr(self.estimator, "net_") else "not fitted"

    def attributes_so_far(self):
        """Attributes of an estimator that was fitted up to now, with a network of its own."""
        net = self.fit.net.copy_with(self.fit.net.module_.state_dict())
        attributes = fitted_attributes(self, records=False)
        return {**attributes, "net_": net}

    def _warn_of_interrupt(self):
        epoch = len(self.fit.net.history)
        warn_user(f"Training was interrupted in epoch {epoch + 1}; the model is {self.outcome}.", UserWarning)


def prepare_fit(
    estimator,
    X,
    y,
    sample_weight=None,
    X_val=None,
    y_val=None,
    sample_weight_val=None,
    *,
    again=False,
    shared=None,
    **options,
):
    """Check data and network of one fit, and make its net.

    Parameters
    ----------
    estimator : DynamicsClassifier
        An estimator whose parameters were checked.
    X, y, sample_weight, X_val, y_val, sample_weight_val
        As in ``fit``.
    again : bool
        Whether to go on from the estimator's own network.
    shared : dict, optional
        Kept between the calls for several fits, so that what they share is checked once.
    **options
        For `validate_inputs`.

    Returns
    -------
    prepared : PreparedFit
    """
    tried = None if shared is None else shared.setdefault("tried", {})
    shared = {} if shared is None else shared
    inputs = validate_inputs(
        estimator, X, y, sample_weight, X_val, y_val, sample_weight_val, again=again, shared=shared, **options
    )
    has_validation = "validation" in inputs.watched
    if again:
        estimator.net_.check_training_readiness()
        refuse_fixed(estimator, estimator._state.parameters)
        if estimator.snapshots and estimator._state.snapshots is not None:
            check_same_kind(estimator.snapshots, estimator._state.snapshots)
        net, state = estimator.net_, estimator._state
    else:
        state = FitState.begin(inputs.random_state, inputs.seed, inputs.dtype, inputs.data.X.device)
        net = make_net(estimator, inputs, state.randomness)
    batch_size = count_batch(estimator, len(inputs.data.X))
    _check_batch(net.module_, batch_size, len(inputs.data.X))
    if inputs.may_hold_ids:
        for name, data in [*inputs.watched.items(), ("train", inputs.data)]:
            check_ids(net.module_, data.X, "X" if name == "train" else "X_val")
    if estimator.optimizer_params:
        check_patterns(estimator.optimizer_params, net.module_)
    autocast = autocast_of(estimator.precision, inputs.data.X.device)
    if not again:
        found = check_once(tried, net, inputs.data, len(inputs.classes), autocast)
        state.is_whole, state.changes = found.is_whole, found.changes
    if estimator.early_stopping:
        check_state_is_whole(state, "early_stopping")
    check_recorded(estimator.record, net.module_, {name: data.X for name, data in inputs.watched.items()})
    verbose = int(estimator.verbose)
    if estimator.callbacks is not None:
        check_monitors(estimator.callbacks, has_validation)
        verbose = verbosity(estimator.callbacks, verbose)
    if again:
        use_changes(estimator, net, state.parameters)
    state.parameters = remember_parameters(estimator)
    net.batch_size, net.verbose = batch_size, verbose
    return PreparedFit(estimator, inputs, state, _network_fit(estimator, net, inputs, state, autocast), again)


def _network_fit(estimator, net, inputs, state, autocast):
    make_stopper = score = None
    if estimator.early_stopping:
        make_stopper, score = stopper_and_score(estimator, net, inputs, state)
    steps = count_steps(net.module_, len(inputs.data.X), net.batch_size)
    return NetworkFit(
        net,
        inputs.data,
        inputs.watched,
        state,
        epochs=estimator.max_epochs,
        shuffle=bool(estimator.shuffle),
        record=estimator.record,
        schedule=make_record_schedule(
            estimator.record, estimator.record_epochs, estimator.record_iterations, steps
        ),
        keep_weights=estimator.snapshots,
        n_classes=len(inputs.classes),
        make_stopper=make_stopper,
        score=score,
        verbose=bool(estimator.verbose),
        places=inputs.places,
        transform=_make_transform(estimator, net, inputs, state),
        autocast=autocast,
    )


def _make_transform(estimator, net, inputs, state):
    if estimator.batch_transform is None:
        return None
    transform = BatchTransform(
        estimator.batch_transform, state.begin_augmentation(), getattr(torch, estimator.dtype)
    )
    transform.check(net.module_, inputs.data.X[: min(net.batch_size, DRY_RUN_ROWS)])
    return transform


def make_net(estimator, inputs, randomness):
    """A net with fresh weights, drawn from ``randomness``."""
    device, n_classes = inputs.data.X.device, len(inputs.classes)
    loss = loss_for_fit(estimator.loss, n_classes, getattr(torch, estimator.dtype), device)
    optimizer = find_optimizer(estimator.optimizer)
    settings = optimizer_settings(optimizer, estimator.lr, estimator.weight_decay, estimator.optimizer_params)
    lr = settings.pop("lr")
    net = DynamicsNet(
        ModuleFactory(
            estimator.module,
            inputs.input_shape,
            n_classes,
            reinitialize=estimator.reinitialize,
            dtype=getattr(torch, estimator.dtype),
            rows=inputs.data.X[:2].clone(),
        ),
        criterion=loss,
        optimizer=optimizer,
        lr=lr,
        max_epochs=estimator.max_epochs,
        train_split=None,
        callbacks=as_list(estimator.callbacks),
        device=str(device),
        verbose=0,
        classes=np.arange(n_classes),
        predict_nonlinearity=getattr(loss, "predict_proba", None),
        **{f"optimizer__{name}": value for name, value in settings.items()},
    )
    with randomness:
        return net.initialize()


def count_batch(estimator, n_samples):
    """Samples of a step."""
    named = {"full": n_samples, "auto": AUTO_BATCH_SIZE}
    return min(named.get(estimator.batch_size, estimator.batch_size), n_samples)


def _check_batch(module, batch_size, n_samples):
    if batch_size == 1 and needs_two_rows(module):
        raise ValueError(
            "module holds batch normalisation, which needs batches of at least 2 samples: set batch_size to 2 or "
            f"more; {n_samples} samples were given."
        )

"""What is recorded of a layer is what a decoder makes of samples that it has not seen."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Reconstruction, Recorder, _activations
from sklearn_nndyn.recording.decoders._base import draw_folds
from tests.problems import convolution_net

ALPHA = 2.0


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X[:400] / 16).astype(np.float32), y[:400], (X[400:550] / 16).astype(np.float32), y[400:550]


def fitted(digits, recording, **changes):
    X, y, X_val, y_val = digits
    settings = {"max_epochs": 3, "record": ("samples", recording), "random_state": 0, "lr": 0.01}
    settings = settings | {"record_iterations": None} | changes
    clf = DynamicsClassifier(settings.pop("module", MLP((20, 10))), **settings)
    return clf.fit(X, y, X_val=X_val, y_val=y_val)


def test_training_samples_are_scored_by_decoders_of_the_other_folds(digits):
    X, *_ = digits
    clf = fitted(digits, Reconstruction("all", alpha=ALPHA, cv=4))
    folds = draw_folds(len(X), 4, "cpu").numpy()
    assert list(clf.dynamics_.reconstruction) == ["linear1", "linear2"]
    for layer, errors in clf.dynamics_.reconstruction.items():
        for look, epoch in enumerate(clf.dynamics_.epochs):
            h = clf.activations(X, layer, epoch=epoch).astype(np.float64)
            for k in range(4):
                decoder = Ridge(ALPHA).fit(h[folds != k], X[folds != k])
                expected = ((decoder.predict(h[folds == k]) - X[folds == k]) ** 2).mean(axis=1)
                np.testing.assert_allclose(errors[folds == k, look], expected, rtol=2e-4)


def test_validation_samples_are_scored_by_a_decoder_of_the_training_samples(digits):
    X, _, X_val, _ = digits
    clf = fitted(digits, Reconstruction(0, alpha=ALPHA))
    errors = clf.validation_dynamics_.reconstruction["linear1"]
    for look, epoch in enumerate(clf.validation_dynamics_.epochs):
        decoder = Ridge(ALPHA).fit(clf.activations(X, 0, epoch).astype(np.float64), X)
        expected = ((decoder.predict(clf.activations(X_val, 0, epoch)) - X_val) ** 2).mean(axis=1)
        np.testing.assert_allclose(errors[:, look], expected, rtol=2e-4)


def test_replay_is_memory(digits):
    X, y, X_val, y_val = digits
    clf = fitted(digits, "reconstruction")
    for again, record in (
        (clf.replay(X, y), clf.dynamics_),
        (clf.replay(X_val, y_val, X_train=X, y_train=y), clf.validation_dynamics_),
    ):
        np.testing.assert_allclose(
            again.reconstruction["linear2"], record.reconstruction["linear2"], rtol=1e-5
        )
        np.testing.assert_array_equal(again.iterations, record.iterations)
    alone = clf.replay(X_val, y_val, record=[Reconstruction()], epochs=[0, 3])
    assert alone.fields == ("reconstruction",)
    at_once = clf.replay(X_val, y_val).select_epochs([0, 3])
    np.testing.assert_array_equal(alone.reconstruction["linear2"], at_once.reconstruction["linear2"])
    known = clf.validation_dynamics_.select_epochs([0, 3]).reconstruction["linear2"]
    assert not np.allclose(known, alone.reconstruction["linear2"], rtol=0.01)


def test_reconstruct_gives_the_inputs_of_these_errors(digits):
    X, _, X_val, _ = digits
    clf = fitted(digits, "reconstruction")
    for look, epoch in enumerate(clf.validation_dynamics_.epochs):
        given_back = clf.reconstruct(X_val, X_train=X, epoch=epoch)
        errors = ((given_back - X_val) ** 2).mean(axis=1)
        np.testing.assert_allclose(
            errors, clf.validation_dynamics_.reconstruction["linear2"][:, look], rtol=1e-3
        )
    np.testing.assert_allclose(clf.reconstruct(X_val, X_train=X), given_back, atol=1e-5)


@pytest.mark.parametrize("limit", [0, 30_000])
def test_what_cannot_be_held_is_made_again(digits, monkeypatch, limit):
    held = fitted(digits, Reconstruction("all")).dynamics_
    monkeypatch.setattr(_activations, "CACHE_BYTES", limit)
    made_again = fitted(digits, Reconstruction("all")).dynamics_
    for layer, errors in held.reconstruction.items():
        np.testing.assert_array_equal(made_again.reconstruction[layer], errors)


class Drawing(Reconstruction):
    """Draws random numbers where it learns."""

    def learn(self, *args, **options):
        torch.rand(3), np.random.rand(3)  # noqa: NPY002 (the global generator is meant)
        return super().learn(*args, **options)


def test_watching_changes_nothing(digits):
    watched = fitted(digits, Drawing("all", cv=2), max_epochs=1)
    unwatched = fitted(digits, "samples", max_epochs=1)
    for name, value in watched.module_.state_dict().items():
        assert torch.equal(value, unwatched.module_.state_dict()[name])


def test_the_raw_outputs_are_a_layer_too(digits):
    clf = fitted(digits, Reconstruction("scores"), module=MLP(()))
    errors = clf.dynamics_.reconstruction["scores"]
    assert errors.shape == (400, 4)
    assert errors.mean() < digits[0].var(axis=0).mean()


def test_without_training_samples_only_validation_samples_are_scored(digits):
    clf = fitted(digits, Reconstruction(train=False))
    both = fitted(digits, Reconstruction())
    assert not clf.dynamics_.reconstruction
    np.testing.assert_array_equal(
        clf.validation_dynamics_.reconstruction["linear2"],
        both.validation_dynamics_.reconstruction["linear2"],
    )


# ---------------------------------------------------------------------------------- batch normalisation


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(130, 2, 8, 8)).astype(np.float32)
    return X + 3 * rng.normal(size=(130, 2, 1, 1)).astype(np.float32), rng.integers(0, 3, 130)


@pytest.mark.parametrize("n", [130, 129])
def test_batch_norm_in_training_mode_normalises_by_the_batch(images, n):
    X, y = torch.from_numpy(images[0][:n, :, :4, :4]), torch.from_numpy(images[1][:n])
    module = convolution_net((2, 4, 4), 3)
    module[1].running_mean += 3
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = {}
    for mode in ("evaluation", "training"):
        recorder = Recorder(
            X,
            y,
            get_loss("log"),
            n_classes=3,
            record=[Reconstruction(0, batch_norm=mode, alpha=1.0, cv=2)],
            capacity=1,
        )
        recorder.record(module, 0)
        found[mode] = recorder.dynamics(y.numpy(), np.arange(3), {}).reconstruction["0"][:, 0]
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        assert all(part.training for part in module.modules())
        assert module[1].num_batches_tracked == 0
    sizes = [128, 2] if n == 130 else [129]
    with torch.no_grad():
        h = torch.cat(
            [
                module[2](
                    torch.nn.functional.batch_norm(module[0](b), None, None, *module[1].parameters(), True)
                )
                for b in X.split(sizes)
            ]
        )
    folds = draw_folds(n, 2, "cpu").numpy()
    h, x = h.flatten(1).double().numpy(), X.flatten(1).numpy()
    for k in range(2):
        expected = (
            (Ridge(1.0).fit(h[folds != k], x[folds != k]).predict(h[folds == k]) - x[folds == k]) ** 2
        ).mean(1)
        np.testing.assert_allclose(found["training"][folds == k], expected, rtol=1e-3)
    assert not np.allclose(found["training"], found["evaluation"], rtol=0.01)


# ---------------------------------------------------------------------------------- bad input

REFUSED = {
    "layer": (
        {"record": [Reconstruction("conv9")]},
        ValueError,
        r"layer 'conv9' does not exist; .* 'linear1', 'linear2'; 'scores' stands for the raw outputs\.",
    ),
    "position": (
        {"record": [Reconstruction(2)]},
        ValueError,
        r"layer 2 does not exist; the hidden layers are 'linear1', 'linear2'",
    ),
    "no layer": (
        {"record": ["reconstruction"], "module": MLP(())},
        ValueError,
        r"the hidden layers are none: the network is one linear layer; 'scores' stands for",
    ),
    "layers": (
        {"record": [Reconstruction(None)]},
        TypeError,
        r'Reconstruction: layers must be "all", a position, a name, or a list of these, got None',
    ),
    "no layers": ({"record": [Reconstruction([])]}, TypeError, r"layers must be .* got \[\]"),
    "true": ({"record": [Reconstruction(True)]}, TypeError, r"layers must be .* got True"),
    "alpha": (
        {"record": [Reconstruction(alpha=-1)]},
        ValueError,
        r'alpha must be "auto" or a number, 0 or greater, got -1',
    ),
    "alpha text": ({"record": [Reconstruction(alpha="best")]}, ValueError, r"alpha must be .* got 'best'"),
    "cv": (
        {"record": [Reconstruction(cv=1)]},
        ValueError,
        r"Reconstruction: cv must be an integer, 2 or greater, got 1",
    ),
    "batch norm": (
        {"record": [Reconstruction(batch_norm="eval")]},
        ValueError,
        r'batch_norm must be "evaluation" or "training", got \'eval\'',
    ),
    "train": ({"record": [Reconstruction(train="no")]}, ValueError, r"train must be True or False, got 'no'"),
    "wide": (
        {"record": [Reconstruction()], "module": MLP((30_000,))},
        ValueError,
        r"layer 'linear1' with 30000 features would need 54 GiB, more than 4; choose a narrower layer",
    ),
    "twice": (
        {"record": ["reconstruction", Reconstruction()]},
        ValueError,
        r"reconstruction was asked for twice; give one of them",
    ),
    "stranger": (
        {"record": [MLP()]},
        ValueError,
        r"\[MLP\(\)\] cannot be recorded; .* give objects such as Reconstruction\(layers=0\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_recorded_is_said_before_training(digits, name):
    changes, error, message = REFUSED[name]
    clf = DynamicsClassifier(**{"module": MLP((20, 10)), **changes})
    with pytest.raises(error, match=message):
        clf.fit(*digits[:2])
    assert not hasattr(clf, "net_")


def test_one_sample_cannot_be_cross_fitted():
    X, y = torch.zeros(1, 2), torch.tensor([0])
    with pytest.raises(
        ValueError, match=r"Reconstruction needs at least 2 samples, one to learn from .* got 1\."
    ):
        Recorder(X, y, get_loss("log"), n_classes=2, record=["reconstruction"], capacity=1)


def test_validation_only_needs_validation_samples(digits):
    with pytest.raises(
        ValueError, match=r"Reconstruction\(train=False\) records validation samples only, but there"
    ):
        DynamicsClassifier(record=[Reconstruction(train=False)]).fit(*digits[:2])


def test_replay_says_what_to_learn_from(digits):
    X, _, X_val, y_val = digits
    clf = fitted(digits, "samples", max_epochs=1)
    with pytest.raises(
        ValueError, match=r"Reconstruction with train=False can score only .* give X_train and y_train"
    ):
        clf.replay(X_val, y_val, record=[Reconstruction(train=False)])
    with pytest.raises(ValueError, match="Give both X_train and y_train, or neither"):
        clf.replay(X_val, y_val, record=["reconstruction"], X_train=X)
    with pytest.raises(ValueError, match=r"layer 'here' does not exist"):
        clf.reconstruct(X_val, X_train=X, layer="here")
    with pytest.raises(ValueError, match=r"The weights of epochs \[9\] were not kept"):
        clf.reconstruct(X_val, X_train=X, epoch=9)

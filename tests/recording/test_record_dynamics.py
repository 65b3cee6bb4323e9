"""RecordDynamics: any skorch net remembers how it learned, and is trained as if nothing were recorded."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Reconstruction, RecordDynamics
from tests import reference

EVERYTHING = ("samples", "geometry", "scores")


class Net(torch.nn.Module):
    """Two hidden layers and dropout; scores, or probabilities."""

    def __init__(self, probabilities=False, always=False):
        super().__init__()
        self.into = torch.nn.Linear(8, 7)
        self.inner = torch.nn.Linear(7, 5)
        self.out = torch.nn.Linear(5, 3)
        self.probabilities, self.always = probabilities, always

    def forward(self, X):
        h = torch.relu(self.into(X))
        h = torch.nn.functional.dropout(torch.tanh(self.inner(h)), 0.3, self.training or self.always)
        return self.out(h).softmax(-1) if self.probabilities else self.out(h)


class Keeps(Callback):
    """The weights as of each epoch, kept by someone else."""

    def on_train_begin(self, net, **kwargs):
        self.states = [copy.deepcopy(net.module_.state_dict())]

    def on_epoch_end(self, net, **kwargs):
        self.states.append(copy.deepcopy(net.module_.state_dict()))


def make_net(*callbacks, kind=NeuralNetClassifier, **changes):
    """A net of three epochs that shuffles; skorch's own defaults elsewhere."""
    settings = {
        "module": Net,
        "criterion": torch.nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 0.02,
        "max_epochs": 3,
        "batch_size": 16,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    return kind(callbacks=list(callbacks), **{**settings, **changes})


def fit(net, X, y, seed=0):
    torch.manual_seed(seed)
    return net.fit(X, y)


def unit(h):
    """h / ||h||; zeros stay zeros."""
    return h / np.linalg.norm(h) if h.any() else h


def measure_slowly(state, X, y):
    """Everything a record holds of one network, sample by sample in float64."""
    weights = {name: value.double().numpy() for name, value in state.items()}
    rows = []
    for x, c in zip(X.astype(np.float64), y, strict=True):
        first = np.maximum(weights["into.weight"] @ x + weights["into.bias"], 0)
        second = np.tanh(weights["inner.weight"] @ first + weights["inner.bias"])
        o = weights["out.weight"] @ second + weights["out.bias"]
        loss = reference.sample_loss("log", o, c)
        rows.append((unit(first), unit(second), o, loss, o[c] - np.delete(o, c).max()))
    first, second, scores, loss, margin = map(np.array, zip(*rows, strict=True))
    centroids = {"into": first, "inner": second}
    return {
        "scores": scores,
        "loss": loss,
        "margin": margin,
        "prediction": scores.argmax(axis=1),
        "centroids": {k: np.array([h[y == c].mean(axis=0) for c in range(3)]) for k, h in centroids.items()},
        "weight_norms": {k: np.sqrt((weights[f"{k}.weight"] ** 2).sum()) for k in ("into", "inner", "out")},
    }


def assert_record_is(record, states, X, y, scores=True):
    """The record is what measuring the kept weights gives."""
    np.testing.assert_array_equal(record.y, y)
    np.testing.assert_array_equal(record.epochs, np.arange(len(states)))
    for e, state in enumerate(states):
        slow = measure_slowly(state, X, y)
        for name in ("loss", "margin", "scores")[: 3 if scores else 2]:
            np.testing.assert_allclose(
                getattr(record, name)[:, e], slow[name], rtol=1e-4, atol=1e-5, err_msg=name
            )
        np.testing.assert_array_equal(record.prediction[:, e], slow["prediction"])
        for group in ("centroids", "weight_norms"):
            found = getattr(record, group)
            assert found.keys() == slow[group].keys()
            for layer, expected in slow[group].items():
                np.testing.assert_allclose(found[layer][e], expected, rtol=1e-4, atol=1e-5, err_msg=layer)


class TestRecord:
    def test_with_cross_entropy(self, data):
        keeps = Keeps()
        net = fit(make_net(RecordDynamics(EVERYTHING), keeps), *data)
        assert_record_is(net.dynamics_, keeps.states, *data)
        assert not hasattr(net, "validation_dynamics_")

    def test_with_probabilities_and_skorchs_default_criterion(self, data):
        keeps = Keeps()
        net = make_net(
            RecordDynamics(EVERYTHING), keeps, module__probabilities=True, criterion=torch.nn.NLLLoss
        )
        fit(net, *data)
        assert_record_is(net.dynamics_, keeps.states, *data, scores=False)
        # The scores are then the logarithms of the probabilities.
        np.testing.assert_allclose(np.exp(net.dynamics_.scores).sum(axis=-1), 1, rtol=1e-5)
        last = -np.log(net.predict_proba(data[0])[np.arange(50), data[1]])
        np.testing.assert_allclose(net.dynamics_.loss[:, -1], last, rtol=1e-4, atol=1e-5)

    def test_with_held_out_samples(self, data):
        X, y = data
        keeps = Keeps()
        net = make_net(
            RecordDynamics(EVERYTHING), keeps, train_split=predefined_split(Dataset(X[35:], y[35:]))
        )
        fit(net, X[:35], y[:35])
        assert_record_is(net.dynamics_, keeps.states, X[:35], y[:35])
        assert_record_is(net.validation_dynamics_, keeps.states, X[35:], y[35:])
        np.testing.assert_array_equal(net.validation_dynamics_.accuracy[1:], net.history[:, "valid_acc"])

    def test_with_skorchs_own_split(self, data):
        X, y = data
        net = fit(make_net(RecordDynamics(), kind=NeuralNetClassifier, train_split=ValidSplit(5)), X, y)
        train, valid = ValidSplit(5)(Dataset(X, y), y)
        for record, part in ((net.dynamics_, train), (net.validation_dynamics_, valid)):
            np.testing.assert_array_equal(record.y, y[part.indices])
            np.testing.assert_array_equal(record.accuracy[-1], net.score(X[part.indices], y[part.indices]))

    def test_it_is_what_the_classifier_records_of_the_same_weights(self, data):
        X, y = data
        clf = DynamicsClassifier(
            MLP((6, 4), dropout=0.2), record=EVERYTHING, max_epochs=3, batch_size=16, random_state=0
        )
        clf.fit(X, y)

        class Follows(NeuralNetClassifier):
            """A training step of its own: take the weights that the classifier had after this epoch."""

            def train_step(self, batch, **fit_params):
                self.module_.load_state_dict(clf.at_epoch(len(self.history)).module_.state_dict())
                return {"loss": torch.zeros(()), "y_pred": torch.zeros(len(batch[0]), 3)}

        module = clf.at_epoch(0).module_
        net = make_net(RecordDynamics(EVERYTHING, loss="log"), kind=Follows, module=module).fit(X, y)
        found, expected = net.dynamics_, clf.dynamics_
        assert found.fields == expected.fields
        for name in ("loss", "margin", "prediction", "scores", "epochs", "y"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
        for group in ("centroids", "weight_norms"):
            for layer, values in getattr(expected, group).items():
                np.testing.assert_array_equal(getattr(found, group)[layer], values)

    def test_inside_the_classifier_it_sees_what_the_classifier_records(self, data):
        X, y = data
        clf = DynamicsClassifier(
            MLP((6,)), record=EVERYTHING, max_epochs=3, callbacks=[RecordDynamics(EVERYTHING)], random_state=0
        ).fit(X, y, X_val=X[:9], y_val=y[:9])
        for name in ("dynamics_", "validation_dynamics_"):
            found, expected = getattr(clf.net_, name), getattr(clf, name)
            np.testing.assert_array_equal(found.loss, expected.loss)
            np.testing.assert_array_equal(found.scores, expected.scores)
            np.testing.assert_array_equal(found.epochs, expected.epochs)

    def test_layers_are_decoded_and_probed_as_in_the_classifier(self, data):
        X, y = data
        record = ("samples", Reconstruction("all"), "probe")
        held_out = {"X_val": X[35:], "y_val": y[35:]}
        settings = {"record_iterations": None, "max_epochs": 2, "batch_size": 16, "random_state": 0}
        clf = DynamicsClassifier(MLP((6, 4)), record=record, **settings)
        clf.fit(X[:35], y[:35], **held_out)

        class Follows(NeuralNetClassifier):
            """A training step of its own: take the weights that the classifier had after this epoch."""

            def train_step(self, batch, **fit_params):
                self.module_.load_state_dict(clf.at_epoch(len(self.history)).module_.state_dict())
                return {"loss": torch.zeros(()), "y_pred": torch.zeros(len(batch[0]), 3)}

        split = predefined_split(Dataset(X[35:], y[35:]))
        settings = {"module": clf.at_epoch(0).module_, "train_split": split, "max_epochs": 2}
        net = make_net(RecordDynamics(record, loss="log"), kind=Follows, **settings).fit(X[:35], y[:35])
        pairs = (net.dynamics_, clf.dynamics_), (net.validation_dynamics_, clf.validation_dynamics_)
        for found, expected in pairs:
            assert list(found.reconstruction) == ["linear1", "linear2"]
            for field in ("reconstruction", "probe_accuracy"):
                for layer, values in getattr(expected, field).items():
                    np.testing.assert_array_equal(getattr(found, field)[layer], values)

    def test_with_a_training_step_of_ones_own(self, data):
        class SignDescent(NeuralNetClassifier):
            """Neither its loss nor its optimizer is skorch's."""

            def train_step(self, batch, **fit_params):
                self.module_.train()
                scores = self.infer(batch[0])
                loss = (torch.nn.functional.one_hot(batch[1], 3) - scores).abs().sum(-1).mean()
                gradients = torch.autograd.grad(loss, list(self.module_.parameters()))
                with torch.no_grad():
                    for parameter, gradient in zip(self.module_.parameters(), gradients, strict=True):
                        parameter.sub_(0.01 * gradient.sign())
                return {"loss": loss, "y_pred": scores}

        keeps = Keeps()
        net = fit(make_net(RecordDynamics(EVERYTHING), keeps, kind=SignDescent), *data)
        assert_record_is(net.dynamics_, keeps.states, *data)
        l1 = fit(make_net(RecordDynamics(EVERYTHING, loss="l1"), kind=SignDescent), *data).dynamics_
        expected = reference.losses("l1", l1.scores[:, -1], data[1])
        np.testing.assert_allclose(l1.loss[:, -1], expected, rtol=1e-5)
        assert not np.allclose(l1.loss, net.dynamics_.loss)

    def test_all_modules_of_a_net_are_looked_at_in_evaluation_mode(self, data):
        class TwoModules(NeuralNetClassifier):
            """A second module with dropout, beside ``module_``."""

            def initialize_module(self):
                super().initialize_module()
                self.noise_ = torch.nn.Dropout(0.5)
                return self

            def infer(self, x, **fit_params):
                return self.noise_(super().infer(x, **fit_params))

        keeps = Keeps()
        net = fit(make_net(RecordDynamics(EVERYTHING), keeps, kind=TwoModules), *data)
        assert_record_is(net.dynamics_, keeps.states, *data)
        assert net.noise_.training

    @pytest.mark.parametrize(
        ("record_epochs", "expected"),
        [("log", [0, 1, 2, 4]), (3, [0, 3]), ([2, 5], [2, 5]), (lambda e: e > 3, [4, 5])],
    )
    def test_only_the_scheduled_epochs(self, data, record_epochs, expected):
        some = fit(make_net(RecordDynamics(record_epochs=record_epochs), max_epochs=5), *data).dynamics_
        every = fit(make_net(RecordDynamics(), max_epochs=5), *data).dynamics_
        np.testing.assert_array_equal(some.epochs, expected)
        np.testing.assert_array_equal(some.loss, every.select_epochs(expected).loss)
        assert len(some.header["seconds_per_epoch"]) == len(expected)

    def test_what_is_not_asked_for_is_not_recorded(self, data):
        assert fit(make_net(RecordDynamics(("geometry",))), *data).dynamics_.fields == (
            "centroids",
            "weight_norms",
        )
        assert fit(make_net(RecordDynamics(("scores",))), *data).dynamics_.fields == ("scores",)


class TestWatchingChangesNothing:
    @pytest.mark.parametrize("always", [False, True], ids=["dropout", "dropout in evaluation too"])
    @pytest.mark.parametrize("held_out", [False, True])
    def test_the_weights_are_those_of_an_unwatched_fit(self, data, always, held_out):
        changes = {"module__always": always, "train_split": ValidSplit(5) if held_out else None}
        watched = fit(make_net(RecordDynamics(EVERYTHING), **changes), *data)
        drawn = torch.rand(3)
        alone = fit(make_net(**changes), *data)
        assert torch.equal(drawn, torch.rand(3))
        pairs = zip(watched.module_.parameters(), alone.module_.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        assert watched.history[:, "train_loss"] == alone.history[:, "train_loss"]

    def test_the_classifier_too_leaves_alone_what_a_module_draws_from(self, data):
        clf = DynamicsClassifier(Net(always=True), max_epochs=2, random_state=0)
        torch.manual_seed(0)
        expected = torch.rand(3)
        torch.manual_seed(0)
        clf.fit(*data)
        assert torch.equal(torch.rand(3), expected)
        unwatched = clone(clf).set_params(record=(), snapshots=False).fit(*data)
        pairs = zip(clf.module_.parameters(), unwatched.module_.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)

    def test_the_modes_of_its_layers_stay_as_they_were(self, data):
        modes = []

        class Sees(Callback):
            def on_epoch_end(self, net, **kwargs):
                modes.append([part.training for part in net.module_.modules()])

        # Named, or skorch would call one after the other.
        around = [("before", Sees()), ("between", RecordDynamics()), ("after", Sees())]
        fit(make_net(*around, device=None), *data)
        assert modes[::2] == modes[1::2]
        assert all(modes[0])


class TestLife:
    def test_the_record_survives_pickling_and_not_cloning(self, data):
        net = fit(make_net(RecordDynamics(EVERYTHING)), *data)
        carried = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(carried.dynamics_.loss, net.dynamics_.loss)
        np.testing.assert_array_equal(carried.dynamics_.scores, net.dynamics_.scores)
        assert not hasattr(clone(net), "dynamics_")
        assert not any(hasattr(callback, "dynamics_") for callback in clone(net).callbacks)
        again = fit(clone(net), *data)
        np.testing.assert_array_equal(again.dynamics_.loss, net.dynamics_.loss)

    @pytest.mark.parametrize("pickled", [False, True])
    def test_training_goes_on_and_so_does_the_record(self, data, pickled):
        net = fit(make_net(RecordDynamics(EVERYTHING)), *data)
        first = net.dynamics_
        net = pickle.loads(pickle.dumps(net)) if pickled else net
        net.partial_fit(*data)
        np.testing.assert_array_equal(first.epochs, [0, 1, 2, 3])
        expected = fit(make_net(RecordDynamics(EVERYTHING), max_epochs=6), *data).dynamics_
        np.testing.assert_array_equal(net.dynamics_.epochs, np.arange(7))
        np.testing.assert_array_equal(net.dynamics_.loss, expected.loss)
        np.testing.assert_array_equal(net.dynamics_.centroids["into"], expected.centroids["into"])
        assert len(net.dynamics_.header["seconds_per_epoch"]) == 7

    def test_after_weights_and_history_of_another_net_were_loaded(self, data, tmp_path):
        net = fit(make_net(RecordDynamics()), *data)
        files = {"f_params": tmp_path / "params.pt", "f_history": str(tmp_path / "history.json")}
        net.save_params(**files)
        other = make_net(RecordDynamics()).initialize()
        other.load_params(**files)
        other.partial_fit(*data)
        np.testing.assert_array_equal(other.dynamics_.epochs, [3, 4, 5, 6])
        np.testing.assert_allclose(other.dynamics_.loss[:, 0], net.dynamics_.loss[:, -1], rtol=1e-6)

    def test_on_other_samples_the_record_starts_again(self, data):
        X, y = data
        net = fit(make_net(RecordDynamics()), *data)
        net.partial_fit(X[::-1].copy(), y[::-1].copy())
        np.testing.assert_array_equal(net.dynamics_.epochs, [3, 4, 5, 6])
        net.partial_fit(2 * X[::-1], y[::-1].copy())
        np.testing.assert_array_equal(net.dynamics_.epochs, [6, 7, 8, 9])

    def test_more_epochs_than_the_net_was_made_for(self, data):
        torch.manual_seed(0)
        longer = make_net(RecordDynamics(EVERYTHING)).fit(*data, epochs=7).dynamics_
        np.testing.assert_array_equal(longer.epochs, np.arange(8))
        expected = fit(make_net(RecordDynamics(EVERYTHING), max_epochs=7), *data).dynamics_
        for name in ("loss", "margin", "prediction", "scores"):
            np.testing.assert_array_equal(getattr(longer, name), getattr(expected, name))
        for group in ("centroids", "weight_norms"):
            for layer, values in getattr(expected, group).items():
                np.testing.assert_array_equal(getattr(longer, group)[layer], values)

    def test_the_record_ends_where_training_stops(self, data):
        stopper = EarlyStopping(monitor="train_loss", patience=1, threshold=10)
        net = fit(make_net(RecordDynamics(), stopper, max_epochs=9), *data)
        assert len(net.history) < 9
        np.testing.assert_array_equal(net.dynamics_.epochs, np.arange(len(net.history) + 1))

    def test_a_second_fit_forgets_the_first(self, data):
        net = make_net(RecordDynamics(), train_split=ValidSplit(5))
        fit(net, *data)
        net.set_params(train_split=None)
        fit(net, *data, seed=1)
        expected = fit(make_net(RecordDynamics()), *data, seed=1)
        np.testing.assert_array_equal(net.dynamics_.loss, expected.dynamics_.loss)
        assert not hasattr(net, "validation_dynamics_")

    def test_the_header_tells_of_the_net(self, data):
        header = fit(make_net(RecordDynamics()), *data).dynamics_.header
        assert header["estimator"] == "NeuralNetClassifier"
        assert header["loss"] == "log"
        assert header["loss_facts"]["unit"] == "nats"
        assert len(header["seconds_per_epoch"]) == 4


class TestErrors:
    def test_an_unknown_field(self, data):
        with pytest.raises(
            ValueError,
            match=r"record: \['gradient'\] cannot be recorded; choose from samples, geometry, scores",
        ):
            make_net(RecordDynamics(("samples", "gradient"))).fit(*data)

    def test_gradients(self, data):
        with pytest.raises(
            ValueError, match=r"RecordDynamics cannot record gradients: .* Use DynamicsClassifier\."
        ):
            make_net(RecordDynamics(("samples", "gradients"))).fit(*data)

    def test_one_name_without_its_brackets(self, data):
        with pytest.raises(
            TypeError, match=r'record must be a tuple such as \("samples", "geometry"\), got \'samples\''
        ):
            make_net(RecordDynamics("samples")).fit(*data)

    def test_an_unknown_schedule(self, data):
        with pytest.raises(ValueError, match=r"record_epochs must be .* got 'sometimes'"):
            make_net(RecordDynamics(record_epochs="sometimes")).fit(*data)

    def test_an_unknown_loss(self, data):
        with pytest.raises(
            ValueError, match=r"RecordDynamics\(loss=...\): Unknown loss 'lgo'; the nearest name is 'log'"
        ):
            make_net(RecordDynamics(loss="lgo")).fit(*data)

    def test_a_net_of_one_output(self, data):
        X, y = data
        net = make_net(RecordDynamics(), module=torch.nn.Linear(8, 1), criterion=torch.nn.BCEWithLogitsLoss)
        with pytest.raises(
            ValueError,
            match="y holds the class position 2, but the net gives scores for 2 classes",
        ):
            net.fit(X, y.astype(np.float32))

    def test_a_net_of_images(self, data):
        net = make_net(
            RecordDynamics(), module=torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Unflatten(1, (4, 2)))
        )
        with pytest.raises(
            ValueError, match=r"a score for each class, \(n_samples, n_classes\); the net gives \(50, 4, 2\)"
        ):
            net.fit(*data)

"""RecordDynamics records what the net is given, by the criterion as it is, and leaves the training alone."""

import copy
import random

import numpy as np
import pytest
import skorch
import torch
from scipy import sparse
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.dataset import Dataset
from skorch.helper import SliceDict, predefined_split
from torch import nn
from torch.utils.data import Subset

from sklearn_nndyn.recording import Reconstruction, RecordDynamics
from tests.recording.test_record_dynamics import Net, fit, make_net

EVERYTHING = ("samples", "geometry", "scores")


def assert_same_training(net, other):
    """The same weights and the same losses, to the last bit."""
    for name in (*net._modules, *net._criteria):
        for a, b in zip(
            getattr(net, f"{name}_").state_dict().values(),
            getattr(other, f"{name}_").state_dict().values(),
            strict=True,
        ):
            assert torch.equal(a, b)
    for column in ("train_loss", "valid_loss"):
        if column in net.history[-1]:
            assert net.history[:, column] == other.history[:, column]


def fit_both(make, *given, record=EVERYTHING, **parameters):
    """A net that was recorded, after a look at one that was not: the training is the same."""
    nets, drawn = [], []
    for callbacks in ([RecordDynamics(record)], []):
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        nets.append(make(callbacks).fit(*given, **parameters))
        drawn.append((*torch.rand(2).tolist(), *np.random.rand(2), random.random()))
    assert_same_training(*nets)
    assert drawn[0] == drawn[1]
    return nets[0]


def assert_record_is_the_nets(net, X, y):
    """The last row of the record is what the net says now of the same rows."""
    record = net.dynamics_
    np.testing.assert_array_equal(record.y, y)
    np.testing.assert_array_equal(record.epochs, np.arange(len(net.history) + 1))
    np.testing.assert_array_equal(record.prediction[:, -1], net.predict(X))
    if hasattr(net.criterion_, "reduction"):
        with torch.no_grad():
            mean = net.get_loss(net.forward(X), torch.as_tensor(y))
        np.testing.assert_allclose(record.loss[:, -1].mean(), float(mean), rtol=1e-5)


class Scaled(Dataset):
    """A dataset that transforms, and knows where its rows come from."""

    def transform(self, X, y):
        return super().transform(X * np.float32(3.0), y)


class Own(torch.utils.data.Dataset):
    """No dataset of skorch's: two inputs, by name."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return {"X": self.X[i]}, self.y[i]


class Noisy(Dataset):
    """A dataset that draws from every generator in each pass."""

    def transform(self, X, y):
        shift = np.float32(random.random() + np.random.rand() + torch.rand(1).item())
        return super().transform(X + shift, y)


def collate_negative(batch):
    X, y = torch.utils.data.default_collate(batch)
    return -X, y


class TestRows:
    def test_a_transform(self, data):
        X, y = data
        net = fit_both(lambda callbacks: make_net(*callbacks, dataset=Scaled), X, y)
        assert_record_is_the_nets(net, X, y)

    def test_a_transform_of_held_out_rows(self, data):
        X, y = data
        split = predefined_split(Scaled(X[30:], y[30:]))
        net = fit_both(lambda c: make_net(*c, dataset=Scaled, train_split=split), X[:30], y[:30])
        record = net.validation_dynamics_
        np.testing.assert_allclose(record.loss.mean(0)[1:], net.history[:, "valid_loss"], rtol=1e-5)
        np.testing.assert_array_equal(record.accuracy[1:], net.history[:, "valid_acc"])

    def test_a_collate_function(self, data):
        X, y = data
        settings = {f"iterator_{part}__collate_fn": collate_negative for part in ("train", "valid")}
        net = fit_both(lambda callbacks: make_net(*callbacks, **settings), X, y)
        assert_record_is_the_nets(net, X, y)

    def test_a_dataset_of_ones_own(self, data):
        X, y = data
        net = fit_both(lambda callbacks: make_net(*callbacks), Own(X, y), None)
        assert_record_is_the_nets(net, Own(X, y), y)

    @pytest.mark.parametrize("container", [dict, SliceDict])
    def test_inputs_by_name(self, data, container):
        X, y = data
        net = fit_both(lambda callbacks: make_net(*callbacks), container(X=X), y)
        assert_record_is_the_nets(net, {"X": X}, y)
        alone = fit_both(lambda callbacks: make_net(*callbacks), X, y)
        np.testing.assert_allclose(net.dynamics_.loss, alone.dynamics_.loss, rtol=1e-4, atol=1e-6)
        assert list(net.dynamics_.centroids) == ["into", "inner"]

    def test_sparse_rows(self, data):
        X, y = data
        X = np.where(X > 0.5, X, 0).astype(np.float32)
        net = fit_both(lambda callbacks: make_net(*callbacks), sparse.csr_matrix(X), y)
        assert_record_is_the_nets(net, X, y)

    def test_rows_of_integers(self, data):
        ids, y = np.arange(50, dtype=np.int64) % 7, data[1]
        module = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 3))
        net = fit_both(lambda callbacks: make_net(*callbacks, module=copy.deepcopy(module)), ids, y)
        assert_record_is_the_nets(net, ids, y)

    @pytest.mark.parametrize(
        "settings",
        [
            pytest.param(
                {"iterator_valid__shuffle": True},
                marks=pytest.mark.filterwarnings("ignore:You set iterator_valid__shuffle"),
            ),
            {"iterator_valid__drop_last": True, "batch_size": 16},
            {"iterator_valid__sampler": torch.utils.data.WeightedRandomSampler(torch.ones(50), 80)},
        ],
        ids=["shuffled", "last batch dropped", "sampled with replacement"],
    )
    @pytest.mark.parametrize("dataset", [Dataset, Scaled])
    def test_row_i_is_row_i_of_the_dataset(self, data, settings, dataset):
        X, y = data
        net = fit_both(lambda callbacks: make_net(*callbacks, dataset=dataset, **settings), X, y)
        plain = fit_both(lambda callbacks: make_net(*callbacks, dataset=dataset), X, y).dynamics_
        np.testing.assert_array_equal(net.dynamics_.y, y)
        np.testing.assert_allclose(net.dynamics_.loss[:, 0], plain.loss[:, 0], rtol=1e-5)

    def test_batches_by_length(self, data):
        """A sampler of batches of one's own, as for texts of like length."""
        X, y = data

        class ByLabel(torch.utils.data.Sampler):
            def __iter__(self):
                yield from ([i for i in range(50) if y[i] == c] for c in range(3))

        settings = {"iterator_valid__batch_sampler": ByLabel(), "iterator_valid__batch_size": 1}
        net = fit_both(lambda callbacks: make_net(*callbacks, kind=WithoutBatchSize, **settings), X, y)
        np.testing.assert_array_equal(net.dynamics_.y, y)

    def test_random_transforms_leave_every_generator_alone(self, data):
        fit_both(lambda callbacks: make_net(*callbacks, dataset=Noisy), *data)

    def test_layers_are_decoded_of_rows_as_the_net_is_given_them(self, data):
        X, y = data
        record = ("samples", Reconstruction("all"))
        of_dataset = fit_both(lambda c: make_net(*c, dataset=Scaled), X, y, record=record).dynamics_
        of_rows = fit(make_net(RecordDynamics(record)), 3 * X, y).dynamics_
        for layer, errors in of_rows.reconstruction.items():
            np.testing.assert_allclose(of_dataset.reconstruction[layer], errors, rtol=1e-3, atol=1e-5)

    def test_what_forward_is_given_by_fit(self, data):
        class Tempered(Net):
            def forward(self, X, scale=1.0):
                return super().forward(X) * scale

        net = fit_both(lambda callbacks: make_net(*callbacks, module=Tempered), *data, scale=5.0)
        plain = fit_both(lambda callbacks: make_net(*callbacks, module=Tempered), *data)
        np.testing.assert_allclose(net.dynamics_.scores[:, 0], 5 * plain.dynamics_.scores[:, 0], rtol=1e-5)
        assert "fit_loop" not in vars(net)


class WithoutBatchSize(NeuralNetClassifier):
    """A net whose validation batches come from a sampler of batches."""

    def get_iterator(self, dataset, training=False):
        if training:
            return super().get_iterator(dataset, training)
        return torch.utils.data.DataLoader(dataset, batch_sampler=self.iterator_valid__batch_sampler)


class Temperature(nn.Module):
    """Cross-entropy with a temperature that is learned, and dropout of its own in training mode."""

    def __init__(self):
        super().__init__()
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.reduction = "mean"

    def forward(self, scores, target):
        scores = scores * self.log_temperature.exp()
        if self.training:
            scores = nn.functional.dropout(scores, 0.3)
        return nn.functional.cross_entropy(scores, target, reduction=self.reduction)


class OtherName(NeuralNetClassifier):
    """Its criterion and its modules are called as the user likes."""

    def initialize_criterion(self):
        self.cost_ = nn.CrossEntropyLoss(label_smoothing=0.2)
        return self

    def initialize_module(self):
        super().initialize_module()
        self.head_ = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 3))
        return self

    def infer(self, x, **parameters):
        return self.head_(super().infer(x, **parameters))

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return self.cost_(y_pred, y_true)


class Raises(Callback):
    """Raises the smoothing of the criterion from epoch to epoch."""

    def on_epoch_begin(self, net, **kwargs):
        net.criterion_.label_smoothing = 0.1 * (len(net.history) - 1)


class TestCriterion:
    def test_one_that_learns_and_is_random_in_training(self, data):
        X, y = data
        split = predefined_split(Dataset(X, y))
        net = fit_both(lambda c: make_net(*c, criterion=Temperature, train_split=split, lr=0.1), X, y)
        record = net.validation_dynamics_
        np.testing.assert_allclose(record.loss.mean(0)[1:], net.history[:, "valid_loss"], rtol=1e-4)
        assert net.criterion_.log_temperature != 0
        np.testing.assert_array_equal(net.dynamics_.loss, record.loss)

    @pytest.mark.parametrize("before", [True, False])
    def test_one_that_a_callback_changes(self, data, before):
        X, y = data
        split = predefined_split(Dataset(X, y))

        def make(callbacks):
            callbacks = [Raises(), *callbacks] if before else [*callbacks, Raises()]
            return make_net(*callbacks, train_split=split)

        record = (net := fit_both(make, X, y)).validation_dynamics_
        np.testing.assert_allclose(record.loss.mean(0)[1:], net.history[:, "valid_loss"], rtol=1e-5)

    def test_one_that_is_set_between_two_fits(self, data):
        net = fit(make_net(RecordDynamics(EVERYTHING)), *data)
        net.set_params(criterion__label_smoothing=0.5)
        net.partial_fit(*data)
        expected = nn.functional.cross_entropy(
            torch.tensor(net.dynamics_.scores[:, -1]), torch.tensor(data[1]), label_smoothing=0.5
        )
        np.testing.assert_allclose(net.dynamics_.loss[:, -1].mean(), float(expected), rtol=1e-5)
        np.testing.assert_array_equal(net.dynamics_.epochs, np.arange(7))

    def test_under_another_name_with_two_modules(self, data):
        X, y = data
        split = predefined_split(Dataset(X, y))
        net = fit_both(lambda c: make_net(*c, kind=OtherName, train_split=split), X, y)
        record = net.validation_dynamics_
        np.testing.assert_allclose(record.loss.mean(0)[1:], net.history[:, "valid_loss"], rtol=1e-5)
        assert list(record.centroids) == ["into", "inner", "out"]
        assert list(record.weight_norms) == ["into", "inner", "out", "head.1"]

    def test_two_of_them(self, data):
        class Two(OtherName):
            def initialize_criterion(self):
                super().initialize_criterion()
                self.other_ = nn.MSELoss()
                return self

        with pytest.raises(ValueError, match=r"criteria 'cost', 'other'.*RecordDynamics\(loss=\.\.\.\)"):
            make_net(RecordDynamics(), kind=Two).fit(*data)
        assert fit(make_net(RecordDynamics(loss="log"), kind=Two), *data).dynamics_.shape == (50, 4)


class TestTwoClasses:
    @pytest.mark.parametrize("column", [True, False])
    @pytest.mark.parametrize("pos_weight", [None, 3.0])
    @pytest.mark.parametrize("threshold", [0.5, 0.9])
    def test_a_net_of_one_output(self, data, column, pos_weight, threshold):
        X, y = data[0], (data[1] > 0).astype(np.float32)
        module = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1))
        module = module if column else nn.Sequential(*module, nn.Flatten(0))
        settings = {"criterion": nn.BCEWithLogitsLoss, "kind": NeuralNetBinaryClassifier}
        if pos_weight:
            settings["criterion__pos_weight"] = torch.tensor(pos_weight)
        net = fit_both(
            lambda c: make_net(*c, module=copy.deepcopy(module), threshold=threshold, **settings), X, y
        )
        assert_record_is_the_nets(net, X, y)
        assert net.dynamics_.n_classes == 2
        p = net.predict_proba(X)[np.arange(50), y.astype(int)]
        np.testing.assert_allclose(net.dynamics_.probability[:, -1], p, rtol=1e-4, atol=1e-6)


class TestRefused:
    @pytest.mark.parametrize("held_out", [None, skorch.dataset.ValidSplit(5)])
    def test_scores_under_nll_loss(self, data, held_out):
        net = make_net(RecordDynamics(), criterion=nn.NLLLoss, train_split=held_out)
        with pytest.raises(
            ValueError, match=r"NLLLoss, .* takes the logarithm .* probabilities, .* down to -"
        ):
            net.fit(*data)

    def test_log_probabilities_under_nll_loss(self, data):
        module = nn.Sequential(nn.Linear(8, 3), nn.LogSoftmax(-1))
        with pytest.raises(ValueError, match="module must give probabilities, but gives values down to -"):
            make_net(RecordDynamics(), module=module, criterion=nn.NLLLoss).fit(*data)

    def test_log_probabilities_in_a_net_that_takes_no_logarithm(self, data):
        """``skorch.NeuralNet`` gives NLLLoss what the module gives."""
        X, y = data
        module = nn.Sequential(nn.Linear(8, 3), nn.LogSoftmax(-1))
        net = fit_both(
            lambda c: make_net(*c, kind=skorch.NeuralNet, module=copy.deepcopy(module), criterion=nn.NLLLoss),
            X,
            y,
        )
        expected = -net.forward(X)[torch.arange(50), torch.as_tensor(y)]
        np.testing.assert_allclose(net.dynamics_.loss[:, -1], expected, rtol=1e-5)

    def test_a_regressor(self, data):
        X, y = data
        net = NeuralNetRegressor(nn.Linear(8, 1), callbacks=[RecordDynamics()], verbose=0)
        with pytest.raises(TypeError, match=r"records classifiers, .*; NeuralNetRegressor is none"):
            net.fit(X, y[:, None].astype(np.float32))

    @pytest.mark.parametrize("shift", [0.5, -1.0])
    def test_labels_that_are_no_positions(self, data, shift):
        X, y = data
        net = make_net(RecordDynamics(), kind=skorch.NeuralNet, criterion=nn.MSELoss, train_split=None)
        with pytest.raises(
            ValueError, match=r"y must hold class positions, 0 or greater, but has values such"
        ):
            net.fit(X, (y + shift).astype(np.float32))

    def test_labels_of_two_axes(self, data):
        X, y = data
        net = make_net(RecordDynamics(), kind=skorch.NeuralNet, criterion=nn.CrossEntropyLoss)
        with pytest.raises(ValueError, match=r"but has shape \(50, 3\)"):
            net.fit(X, np.eye(3, dtype=np.float32)[y])

    def test_layers_of_inputs_by_name(self, data):
        X, y = data
        with pytest.raises(TypeError, match=r"Reconstruction needs the input as one array .* given a dict"):
            make_net(RecordDynamics(("samples", "reconstruction"))).fit({"X": X}, y)

    def test_an_iterator_that_leaves_rows_out(self, data):
        class Half(NeuralNetClassifier):
            def get_iterator(self, dataset, training=False):
                yield from list(super().get_iterator(dataset, training))[:1]

        with pytest.raises(ValueError, match="gave 16 rows of a dataset of 50: each row must come once"):
            make_net(RecordDynamics(), kind=Half).fit(*data)

    def test_a_dataset_that_changes_its_order(self, data):
        class Turning(Own):
            passes = 0

            def __getitem__(self, i):
                self.passes += i == 0
                return super().__getitem__((i + self.passes) % len(self))

        with pytest.raises(ValueError, match="other labels, or rows in another order"):
            make_net(RecordDynamics()).fit(Turning(*data), None)


class TestOrderOfCallbacks:
    @pytest.mark.parametrize("load_best", [False, True])
    @pytest.mark.parametrize("last", [False, True])
    def test_the_epoch_at_which_training_stops(self, data, load_best, last):
        """The record holds it as it was trained, and goes on from the weights that were restored."""
        stopper = EarlyStopping("train_loss", patience=2, threshold=10, load_best=load_best)

        def make(callbacks):
            callbacks = [*callbacks, stopper] if last else [stopper, *callbacks]
            return make_net(*callbacks, max_epochs=9)

        net = fit_both(make, *data)
        n_epochs = len(net.history)
        assert n_epochs < 9
        np.testing.assert_array_equal(net.dynamics_.epochs, np.arange(n_epochs + 1))
        unstopped = fit(make_net(RecordDynamics(EVERYTHING), max_epochs=n_epochs), *data).dynamics_
        np.testing.assert_array_equal(net.dynamics_.loss, unstopped.loss)
        net.partial_fit(*data)
        np.testing.assert_array_equal(net.dynamics_.epochs, np.arange(len(net.history) + 1))

    def test_what_others_change_at_the_end_of_an_epoch_is_seen(self, data):
        class Halves(Callback):
            def on_epoch_end(self, net, **kwargs):
                with torch.no_grad():
                    net.module_.out.weight.mul_(0.5)

        net = fit_both(lambda callbacks: make_net(*callbacks, Halves(), LRScheduler()), *data)
        assert_record_is_the_nets(net, *data)

    def test_an_epoch_that_is_interrupted_is_not_recorded(self, data):
        class Interrupts(Callback):
            def on_batch_end(self, net, training=False, **kwargs):
                if training and len(net.history) == 3:
                    raise KeyboardInterrupt

        net = fit(make_net(RecordDynamics(), Interrupts(), max_epochs=5), *data)
        np.testing.assert_array_equal(net.dynamics_.epochs, [0, 1, 2])
        net.set_params(callbacks__Interrupts=None)

    def test_the_callbacks_are_the_users_again(self, data):
        net = fit(make_net(RecordDynamics(), LRScheduler()), *data)
        names = [name for name, _ in net.callbacks_]
        assert sorted(names) == sorted(
            name for name, _ in make_net(RecordDynamics(), LRScheduler()).initialize().callbacks_
        )

    def test_a_failed_fit_is_forgotten(self, data):
        class Fails(Callback):
            def on_batch_end(self, net, **kwargs):
                if len(net.history) == 2 and self.armed_:
                    raise ZeroDivisionError

            armed_ = True

        fails = Fails()
        net = make_net(RecordDynamics(), fails)
        with pytest.raises(ZeroDivisionError):
            fit(net, *data)
        fails.armed_ = False
        again, expected = fit(net, *data), fit(make_net(RecordDynamics()), *data)
        np.testing.assert_array_equal(again.dynamics_.loss, expected.dynamics_.loss)
        assert len(net.callbacks_) == len(net.initialize().callbacks_)


@pytest.mark.parametrize("kind", [list, np.array, tuple, range])
def test_a_subset_for_validation_by_any_kind_of_places(kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 8)).astype("float32"), rng.integers(0, 3, 30)
    places = range(0, 30, 3) if kind is range else kind(range(0, 30, 3))
    split = predefined_split(Subset(Dataset(X, y), places))
    net = make_net(RecordDynamics(), train_split=split, max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(net.validation_dynamics_.y, y[::3])
    np.testing.assert_allclose(net.validation_dynamics_.loss, net.dynamics_.loss[::3], rtol=1e-5)

"""Some of the samples, or all as their batches pass in training."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.analyzers import LossTailAnalyzer, SampleScoreAnalyzer, find_label_errors
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Gradients, RecordDynamics, Recorder, Samples
from tests import reference
from tests.pairwise import pairwise

X, Y = load_iris(return_X_y=True)
ROWS = np.array([140, 3, 77, 20, 99])
ON_THE_WAY = (Samples(when="training"),)


def classifier(module=None, **settings):
    module = MLP((8,), dropout=0.3) if module is None else module
    return DynamicsClassifier(
        module, **{"max_epochs": 3, "lr": 0.01, "batch_size": 32, "random_state": 0} | settings
    )


def weights(clf):
    return torch.cat([value.flatten() for value in clf.module_.state_dict().values()])


class Convolutional(torch.nn.Module):
    """Trained by autograd, with dropout."""

    def __init__(self):
        super().__init__()
        self.conv, self.drop, self.out = (
            torch.nn.Conv1d(1, 3, 2),
            torch.nn.Dropout(0.4),
            torch.nn.Linear(9, 3),
        )

    def forward(self, x):
        return self.out(self.drop(self.conv(x[:, None]).relu().flatten(1)))


class WatchesBatches(Callback):
    """Sends training through skorch's own loop."""

    def on_batch_end(self, net, **kwargs):
        pass


class TestIndices:
    """The record of some rows is what is said of these rows in the record of all."""

    @pytest.mark.parametrize(
        "record", [(), ("scores",), (Gradients(),)], ids=["samples", "scores", "gradients"]
    )
    def test_the_rows_of_the_record_of_all(self, record):
        whole = classifier(record=("samples", *record)).fit(X, Y)
        some = classifier(record=(Samples(ROWS), *record)).fit(X, Y)
        assert torch.equal(weights(some), weights(whole))
        expected = whole.dynamics_[ROWS]
        for name in expected.fields:
            np.testing.assert_allclose(
                getattr(some.dynamics_, name), getattr(expected, name), rtol=1e-4, atol=1e-6
            )
        np.testing.assert_array_equal(some.dynamics_.y, Y[ROWS])
        np.testing.assert_array_equal(some.dynamics_.sample_ids, ROWS)

    @pytest.mark.parametrize(
        "indices",
        [ROWS.tolist(), np.isin(np.arange(150), ROWS), range(0, 150, 7)],
        ids=["list", "mask", "range"],
    )
    def test_positions_and_masks(self, indices):
        rows = np.flatnonzero(indices) if np.asarray(indices).dtype == bool else np.asarray(indices)
        record = classifier(record=(Samples(indices),)).fit(X, Y).dynamics_
        np.testing.assert_array_equal(record.sample_ids, rows)
        np.testing.assert_array_equal(record.y, Y[rows])

    def test_all_rows_in_another_order(self):
        order = np.random.default_rng(0).permutation(150)
        record = classifier(record=(Samples(order),)).fit(X, Y).dynamics_
        np.testing.assert_allclose(record.loss, classifier().fit(X, Y).dynamics_.loss[order], rtol=1e-4)

    def test_centroids_are_of_these_rows(self):
        clf = classifier(record=(Samples(ROWS), "geometry")).fit(X, Y)
        expected = clf.replay(X[ROWS], Y[ROWS]).centroids["linear1"]
        np.testing.assert_allclose(clf.dynamics_.centroids["linear1"], expected, rtol=1e-4, atol=1e-6)

    def test_replay_takes_the_samples_that_it_is_given(self):
        clf = classifier(record=(Samples(ROWS),)).fit(X, Y)
        np.testing.assert_allclose(
            clf.replay(X[ROWS], Y[ROWS]).loss, clf.dynamics_.loss, rtol=1e-4, atol=1e-6
        )
        assert len(clf.replay(X, Y)) == 150

    def test_rows_that_are_held_out_are_in_the_other_record(self):
        clf = classifier(record=(Samples(range(100)),), validation_fraction=0.2, early_stopping=True).fit(
            X, Y
        )
        trained = np.setdiff1d(np.arange(100), clf.validation_indices_)
        np.testing.assert_array_equal(clf.dynamics_.sample_ids, trained)
        np.testing.assert_array_equal(clf.dynamics_.y, Y[trained])
        assert len(clf.validation_dynamics_) == 30

    def test_a_fit_that_goes_on(self):
        once = classifier(record=(Samples(ROWS),), max_epochs=4).fit(X, Y)
        twice = classifier(record=(Samples(ROWS),), max_epochs=2, warm_start=True).fit(X, Y).fit(X, Y)
        np.testing.assert_array_equal(twice.dynamics_.loss, once.dynamics_.loss)
        other = twice.set_params(record=(Samples([1, 2]),)).fit(X, Y).dynamics_
        np.testing.assert_array_equal(other.epochs, [4, 5, 6])

    def test_fits_together_are_each_ones_own(self):
        own = [classifier(record=(Samples(ROWS + i),), random_state=i) for i in range(3)]
        for i, clf in enumerate(fit_together(own, X, Y)):
            alone = classifier(record=(Samples(ROWS + i),), random_state=i).fit(X, Y)
            np.testing.assert_array_equal(clf.dynamics_.loss, alone.dynamics_.loss)
            np.testing.assert_array_equal(clf.dynamics_.sample_ids, ROWS + i)

    @pytest.mark.parametrize(
        ("indices", "error", "message"),
        [
            ([3, 150], ValueError, r"Samples: indices holds 150, but X has the rows 0 to 149\."),
            ([-1, 2], ValueError, "indices holds -1"),
            ([4, 2, 4], ValueError, r"indices must hold each row once, but has several of 4\."),
            (np.ones(7, bool), ValueError, "a mask of 7 entries, 7 of them True, for 150 rows of X"),
            (np.zeros(150, bool), ValueError, "a mask of 150 entries, 0 of them True"),
            ([], TypeError, "indices must be positions of rows of X"),
            ([0.5], TypeError, "indices must be positions of rows of X"),
            ("all", TypeError, "indices must be positions of rows of X, as integers, or a mask; got 'all'"),
            ([[1], [2]], TypeError, "indices must be positions"),
        ],
        ids=["beyond", "negative", "twice", "short-mask", "empty-mask", "none", "floats", "word", "matrix"],
    )  # fmt: skip
    def test_other_indices_are_refused_before_training(self, indices, error, message):
        clf = classifier(record=(Samples(indices),))
        with pytest.raises(error, match=message):
            clf.fit(X, Y)
        assert not hasattr(clf, "net_")


MODULES = {"MLP": lambda: MLP((8,), dropout=0.3), "autograd": lambda: Convolutional}
LOSSES = {
    "log": "log",
    "no probabilities": "hinge",
    "one's own": torch.nn.CrossEntropyLoss(label_smoothing=0.1),
}
LOOPS = {"ours": None, "skorch's": [WatchesBatches()]}


class TestInTraining:
    """What each batch gave on the way, and nothing else."""

    @pairwise(module=MODULES, loss=LOSSES, callbacks=LOOPS)
    def test_the_network_and_its_curve_are_those_of_an_unrecorded_fit(self, module, loss, callbacks):
        settings = {"loss": loss, "callbacks": callbacks}
        bare = classifier(module(), record=(), snapshots=False, **settings).fit(X, Y)
        clf = classifier(module(), record=ON_THE_WAY, **settings).fit(X, Y)
        assert torch.equal(weights(clf), weights(bare))
        record = clf.dynamics_
        np.testing.assert_array_equal(record.epochs, [1, 2, 3])
        assert record.seen.all()
        np.testing.assert_allclose(record.loss.mean(0), bare.loss_curve_, rtol=1e-5)

    @pytest.mark.parametrize("callbacks", LOOPS.values(), ids=LOOPS)
    @pytest.mark.parametrize("batch_size", [32, "full"])
    def test_each_cell_is_what_its_batch_gave(self, batch_size, callbacks, monkeypatch):
        """Of a network whose weights are recorded after every update: a batch's scores are those before its update."""
        whole = classifier(
            MLP((8,)), record=("scores",), record_iterations="all", batch_size=batch_size, callbacks=callbacks
        ).fit(X, Y)
        clf = classifier(MLP((8,)), record=ON_THE_WAY, batch_size=batch_size, callbacks=callbacks).fit(X, Y)
        updates = whole.dynamics_
        steps = (updates.n_epochs - 1) // 3
        for e in range(3):
            batch_of = np.zeros(150, int)
            losses = np.array(
                [
                    [reference.losses("log", updates.scores[:, s], Y)]
                    for s in range(e * steps, (e + 1) * steps)
                ]
            )[:, 0]
            distance = np.abs(losses - clf.dynamics_.loss[:, e])
            batch_of = distance.argmin(0)
            np.testing.assert_allclose(distance.min(0), 0, atol=2e-5)
            sizes = np.bincount(batch_of, minlength=steps)
            expected = [32, 32, 32, 32, 22] if batch_size == 32 else [150]
            assert np.abs(sizes - expected).max() <= 4, (
                "rows whose loss hardly changes may be taken for another batch's"
            )
            chosen = updates.scores[np.arange(150), e * steps + batch_of]
            np.testing.assert_allclose(
                clf.dynamics_.margin[:, e],
                [reference.margin(o, c) for o, c in zip(chosen, Y, strict=True)],
                atol=1e-3,
            )

    def test_full_batches_without_dropout_are_the_record_one_epoch_earlier(self):
        settings = {"module": MLP((8,)), "batch_size": "full"}
        seen, passed = (
            classifier(record=record, **settings).fit(X, Y).dynamics_ for record in (("samples",), ON_THE_WAY)
        )
        for name in ("loss", "margin", "prediction", "probability"):
            np.testing.assert_allclose(
                getattr(passed, name), getattr(seen, name)[:, :-1], rtol=1e-4, atol=1e-6
            )

    def test_no_pass_is_made(self):
        class Counts(Convolutional):
            rows = 0

            def forward(self, x):
                Counts.rows += len(x)
                return super().forward(x)

        def passes(record):
            Counts.rows = 0
            classifier(Counts(), record=record, snapshots=False).fit(X, Y)
            return Counts.rows

        assert passes(ON_THE_WAY) == passes(()) < passes(("samples",))

    def test_rows_without_weight_are_never_seen(self):
        weight = np.where(np.arange(150) % 5, 1.5, 0)
        record = classifier(record=ON_THE_WAY).fit(X, Y, sample_weight=weight).dynamics_
        np.testing.assert_array_equal(record.seen, np.tile((weight > 0)[:, None], 3))
        assert np.isnan(record.loss[::5]).all()
        assert (record.prediction[::5] == -1).all()

    def test_chosen_rows(self):
        whole = classifier(record=ON_THE_WAY).fit(X, Y).dynamics_
        some = classifier(record=(Samples(ROWS, when="training"),)).fit(X, Y).dynamics_
        np.testing.assert_array_equal(some.loss, whole.loss[ROWS])
        np.testing.assert_array_equal(some.sample_ids, ROWS)

    def test_some_epochs(self):
        whole = classifier(record=ON_THE_WAY, max_epochs=5).fit(X, Y).dynamics_
        some = classifier(record=ON_THE_WAY, max_epochs=5, record_epochs=[0, 2, 5]).fit(X, Y).dynamics_
        np.testing.assert_array_equal(some.epochs, [2, 5])
        np.testing.assert_array_equal(some.loss, whole.select_epochs([2, 5]).loss)

    def test_validation_samples_are_evaluated(self):
        clf = classifier(record=ON_THE_WAY, validation_fraction=0.2, early_stopping=True).fit(X, Y)
        held_out = clf.validation_indices_
        np.testing.assert_array_equal(clf.validation_dynamics_.epochs, range(clf.n_iter_ + 1))
        np.testing.assert_allclose(
            clf.validation_dynamics_.loss, clf.replay(X[held_out], Y[held_out]).loss, rtol=1e-4, atol=1e-6
        )
        assert clf.dynamics_.seen.all()

    def test_a_fit_that_goes_on(self):
        once = classifier(record=ON_THE_WAY, max_epochs=4).fit(X, Y).dynamics_
        twice = classifier(record=ON_THE_WAY, max_epochs=2, warm_start=True).fit(X, Y).fit(X, Y).dynamics_
        np.testing.assert_array_equal(twice.epochs, once.epochs)
        np.testing.assert_array_equal(twice.loss, once.loss)

    def test_fits_together(self):
        for i, clf in enumerate(
            fit_together([classifier(record=ON_THE_WAY, random_state=i) for i in range(2)], X, Y)
        ):
            alone = classifier(record=ON_THE_WAY, random_state=i).fit(X, Y)
            np.testing.assert_array_equal(clf.dynamics_.loss, alone.dynamics_.loss)

    def test_an_interrupted_epoch_is_not_recorded(self):
        class Interrupts(Convolutional):
            calls = 0

            def forward(self, x):
                Interrupts.calls += self.training
                if Interrupts.calls == 9:
                    raise KeyboardInterrupt
                return super().forward(x)

        with pytest.warns(UserWarning, match="interrupted in epoch 2"):
            clf = classifier(Interrupts(), record=ON_THE_WAY).fit(X, Y)
        np.testing.assert_array_equal(clf.dynamics_.epochs, [1])
        assert clf.dynamics_.seen.all()

    def test_record_and_summaries_say_so(self):
        clf = classifier(record=ON_THE_WAY, max_epochs=6).fit(X, Y)
        words = "recorded in training as each sample's batch passed, dropout and all"
        assert clf.dynamics_.header["when"] == "training"
        assert words in repr(clf.dynamics_)
        texts = [
            SampleScoreAnalyzer().fit(clf).summary(),
            find_label_errors(clf).summary(),
            LossTailAnalyzer().fit(clf.dynamics_).summary(),
        ]
        assert all(words in text.replace("\n", " ") for text in texts)
        assert words not in SampleScoreAnalyzer().fit(classifier().fit(X, Y)).summary().replace("\n", " ")

    @pytest.mark.parametrize("other", ["geometry", "scores", "gradients", "probe", "reconstruction"])
    def test_what_needs_a_pass_is_refused(self, other):
        with pytest.raises(
            ValueError,
            match=rf'Samples\(when="training"\) makes no pass over the samples, and \'{other}\' needs one',
        ):
            classifier(record=(*ON_THE_WAY, other)).fit(X, Y)

    def test_records_by_updates_are_refused(self):
        with pytest.raises(
            ValueError, match=r"records whole epochs, so record_iterations='log' cannot be heeded"
        ):
            classifier(record=ON_THE_WAY, record_iterations="log").fit(X, Y)

    def test_another_time_is_refused(self):
        with pytest.raises(
            ValueError, match=r"Samples: when must be one of 'epoch', 'training'; got 'batch'\."
        ):
            classifier(record=(Samples(when="batch"),)).fit(X, Y)


REFUSING = {
    "Recorder": lambda record: Recorder(torch.zeros(4, 2), torch.arange(4) % 2, record=record),
    "RecordDynamics": lambda record: RecordDynamics(record).on_train_begin(None),
    "replay": lambda record: classifier(max_epochs=1).fit(X, Y).replay(X, Y, record=record),
}


@pytest.mark.parametrize("samples", [Samples([0, 1]), Samples(when="training")], ids=["indices", "when"])
@pytest.mark.parametrize("who", REFUSING)
def test_where_there_is_nothing_to_choose_from_a_choice_is_refused(who, samples):
    with pytest.raises(
        ValueError, match=rf"record: {who} records all samples that it is given, .* is for the fit of a"
    ):
        REFUSING[who]((samples,))


@pytest.mark.parametrize(
    "record", [("samples", Samples()), (Samples(), Samples([1]))], ids=["name-and-object", "objects"]
)
def test_samples_are_asked_for_once(record):
    with pytest.raises(ValueError, match="record: samples was asked for twice; give one of them"):
        classifier(record=record).fit(X, Y)

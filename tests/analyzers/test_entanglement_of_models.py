"""EntanglementAnalyzer on fitted models: the record it reads, and activations that it replays."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Geometry
from tests import reference
from tests.analyzers.saying import flat

DIGITS, LABELS = load_digits(return_X_y=True)
X, Y = DIGITS[:120] / 16, np.array(["even", "odd"])[LABELS[:120] % 2]
TARGET = LABELS[:120] % 2
ANALYZER = EntanglementAnalyzer(tolerance=0)
SIMILARITIES = slice(5, 9)


def classifier(**changes):
    settings = {"max_epochs": 12, "lr": 0.03, "batch_size": 20, "random_state": 0}
    return DynamicsClassifier(MLP((9, 6), activation="tanh"), **(settings | changes))


@pytest.fixture(scope="module")
def clf():
    return classifier().fit(X, Y)


def slow_similarities(h, m, target=TARGET):
    rows = zip(h.tolist(), target, strict=True)
    return np.array([reference.own_and_other_similarity(h_i, c, m.tolist()) for h_i, c in rows])


# ------------------------------------------------------------------------------------ the record


@pytest.mark.parametrize("layer", ["linear1", "linear2"])
def test_radii_and_distances_are_those_of_the_activations(clf, layer):
    found = EntanglementAnalyzer(layer=layer).fit(clf)
    for t, epoch in enumerate(found.epochs_):
        h = clf.activations(X, layer=layer, epoch=int(epoch)).tolist()
        expected = [reference.radius(h, TARGET, c) ** 2 for c in (0, 1)]
        np.testing.assert_allclose(found.radii_[t] ** 2, expected, atol=1e-6)
        assert found.distances_[t, 0, 1] == pytest.approx(reference.distance(h, TARGET, 0, 1), abs=1e-6)
    np.testing.assert_array_equal(found.training_error_[-1], np.mean(clf.predict(X) != Y))


def test_of_a_model_the_training_record_is_read():
    clf = classifier(max_epochs=3).fit(X, Y, X_val=X[:30], y_val=Y[:30])
    pipe = make_pipeline(StandardScaler(), classifier(max_epochs=3)).fit(X, Y)
    search = GridSearchCV(classifier(max_epochs=3), {"lr": [0.01]}, cv=2).fit(X, Y)
    for model, held in ((clf, clf), (pipe, pipe[-1]), (search, search.best_estimator_)):
        found = EntanglementAnalyzer().fit(model)
        assert found.source_ == "the training record of the model"
        assert len(found.straggler_mask_) == 120
        np.testing.assert_array_equal(found.training_error_, held.dynamics_.error)
        assert found.layer_ == "linear2"
        assert found.transform(model).shape == (120, 9)
    assert found.summary().startswith(
        "By the mean radius of the classes, the classes of layer linear2 do not"
    )
    assert flat(found.summary()).endswith("the training record of the model: 120 samples of 2 classes.")


def test_a_saved_record_tells_the_same_as_the_model(clf, tmp_path):
    from sklearn_nndyn import load_dynamics

    clf.dynamics_.save(tmp_path / "run.safetensors")
    record = load_dynamics(tmp_path / "run.safetensors")
    found = ANALYZER.fit(record)
    assert found.source_ == "a record"
    np.testing.assert_array_equal(found.transform(record), ANALYZER.fit(clf).transform(clf))


# ------------------------------------------------------------------------------ the similarities


@pytest.mark.parametrize("layer", ["linear1", "linear2"])
def test_similarities_are_those_of_the_replayed_activations(clf, layer):
    found = EntanglementAnalyzer(layer=layer, tolerance=0).fit(clf)
    assert 0 < found.inversion_epoch_ < 12
    table = found.transform(clf, samples=X)
    for epoch, columns in ((found.inversion_epoch_, slice(5, 7)), (12, slice(7, 9))):
        h = clf.activations(X, layer=layer, epoch=epoch)
        m = clf.dynamics_.centroids[layer][epoch]
        np.testing.assert_allclose(table[:, columns], slow_similarities(h, m), atol=1e-5)
    bare = found.transform(clf)
    assert np.isnan(bare[:, SIMILARITIES]).all()
    np.testing.assert_array_equal(bare[:, :5], table[:, :5])
    np.testing.assert_array_equal(found.transform(clf, samples=X.tolist()), table)


def test_similarities_at_the_turn_are_there_only_with_a_turn(clf):
    found = EntanglementAnalyzer(burn_in=11).fit(clf)
    assert found.inversion_ is None
    table = found.transform(clf, samples=X)
    assert np.isnan(table[:, 5:7]).all()
    h, m = clf.activations(X, layer="linear2"), clf.dynamics_.centroids["linear2"][-1]
    np.testing.assert_allclose(table[:, 7:9], slow_similarities(h, m), atol=1e-5)


def test_a_pipeline_and_a_search_transform_the_samples_before():
    pipe = make_pipeline(StandardScaler(), classifier()).fit(100 * X, Y)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier()), {"standardscaler__with_std": [True]}, cv=2
    )
    for model in (pipe, search.fit(100 * X, Y)):
        table = ANALYZER.fit(model).transform(model, samples=100 * X)
        inner = pipe if model is pipe else search.best_estimator_
        h = inner[-1].activations(inner[0].transform(100 * X), layer=-1)
        m = inner[-1].dynamics_.centroids["linear2"][-1]
        np.testing.assert_allclose(table[:, 7:9], slow_similarities(h, m), atol=1e-5)


@pytest.mark.parametrize(("pool", "width"), [("mean", 2), ("flat", 72)])
def test_convolution_layers_are_as_their_centroids(pool, width):
    def network(input_shape, n_classes):
        first, second = torch.nn.Conv2d(1, 2, 3), torch.nn.Conv2d(2, 2, 3)
        flat = torch.nn.Flatten(), torch.nn.Linear(32, n_classes)
        return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), *flat)

    images = X.reshape(-1, 1, 8, 8).astype(np.float32)
    record = "samples", Geometry(pool=pool)
    clf = DynamicsClassifier(network, max_epochs=2, random_state=0, record=record).fit(images, Y)
    table = EntanglementAnalyzer(layer=0).fit(clf).transform(clf, samples=images)
    h = clf.activations(images, layer=0)
    assert h.shape == (120, 2, 6, 6)
    flat = h.mean((2, 3)) if pool == "mean" else h.reshape(120, -1)
    assert flat.shape[1] == width
    expected = slow_similarities(flat, clf.dynamics_.centroids["0"][-1])
    np.testing.assert_allclose(table[:, 7:9], expected, atol=1e-5)


def test_of_held_out_samples_there_is_no_row():
    """With validation_fraction the rows are those of the samples trained on."""
    clf = classifier(max_epochs=3, validation_fraction=0.25).fit(X, Y)
    found = EntanglementAnalyzer().fit(clf)
    table = found.transform(clf, samples=X[clf.train_indices_])
    h, m = clf.activations(X[clf.train_indices_]), clf.dynamics_.centroids["linear2"][-1]
    np.testing.assert_allclose(table[:, 7:9], slow_similarities(h, m, TARGET[clf.train_indices_]), atol=1e-5)
    with pytest.raises(ValueError, match=r"^120 samples were given, but the record has 90\.$"):
        found.transform(clf, samples=X)


def test_another_network_is_compared_with_its_own_centroids(clf):
    other = classifier(random_state=7).fit(X, Y)
    found = EntanglementAnalyzer().fit(clf)
    h, m = other.activations(X), other.dynamics_.centroids["linear2"][-1]
    table = found.transform(other, samples=X)
    np.testing.assert_allclose(table[:, 7:9], slow_similarities(h, m), atol=1e-5)


def test_samples_that_cannot_be_replayed_are_refused(clf):
    found = ANALYZER.fit(clf)
    with pytest.raises(ValueError, match=r"^119 samples were given, but the record has 120\.$"):
        found.transform(clf, samples=X[1:].tolist())
    with pytest.raises(
        TypeError, match=r"Expected a fitted model: a DynamicsClassifier, a Pipeline .*; got Dynamics"
    ):
        found.transform(clf.dynamics_, samples=X)
    unkept = classifier(max_epochs=3, snapshots=False).fit(X, Y)
    with pytest.raises(
        ValueError, match="the weights of earlier epochs were not kept; fit with snapshots=True"
    ):
        EntanglementAnalyzer().fit(unkept).transform(unkept, samples=X)


# ---------------------------------------------------------------- classes with few samples; zeros


def test_a_class_with_one_sample_has_radius_0(clf):
    """And not the root of its centroid's rounding, kept in single precision, of which a turn could be made."""
    rows = np.append(np.flatnonzero(TARGET == 0)[:20], np.flatnonzero(TARGET == 1)[0])
    found = EntanglementAnalyzer().fit(clf.replay(X[rows], Y[rows]))
    np.testing.assert_array_equal(found.radii_[:, 1], 0)
    assert np.isnan(found.class_inversion_epochs_[1])
    assert (found.radii_[:, 0] > 0.01).all()
    assert not np.isnan(found.distances_).any()
    np.testing.assert_array_equal(found.mean_radius_, found.radii_.mean(axis=1))


def test_a_class_without_samples_is_no_part_of_the_mean(clf):
    rows = np.flatnonzero(TARGET == 0)
    record = clf.replay(X[rows], Y[rows])
    found = ANALYZER.fit(record)
    assert np.isnan(found.radii_[:, 1]).all()
    np.testing.assert_array_equal(found.mean_radius_, found.radii_[:, 0])
    assert np.isnan(found.mean_distance_).all()
    assert np.isnan(found.class_inversion_epochs_[1])
    assert (found.reentanglement_ == 0).all()
    assert found.inversion_epoch_ == found.class_inversion_epochs_[0]
    assert found.distance_inversion_epoch_ is None
    assert EntanglementAnalyzer(reference="odd").fit(record).inversion_epoch_ is None
    assert "Not a number" not in found.summary()
    assert "nan" not in found.summary()


class DeadLayer(torch.nn.Module):
    """Its hidden layer is zero, whatever comes."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.into, self.out = torch.nn.Linear(input_shape[0], 4), torch.nn.Linear(4, n_classes)

    def forward(self, x):
        return self.out(torch.relu(self.into(x)) * 0)


def test_a_dead_layer_has_radius_1_distance_0_and_no_similarity():
    clf = DynamicsClassifier(DeadLayer, max_epochs=3, random_state=0).fit(X, Y)
    found = EntanglementAnalyzer().fit(clf)
    assert (found.radii_ == 1).all()
    assert (found.distances_ == 0).all()
    assert found.inversion_epoch_ is None
    np.testing.assert_array_equal(found.transform(clf, samples=X)[:, 7:9], 0)
    assert "it has no least value from which it turns back for good" in flat(found.summary())

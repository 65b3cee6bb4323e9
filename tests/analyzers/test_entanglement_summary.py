"""The paragraph of an EntanglementAnalyzer: its figures are those of the attributes, and every case has its words."""

import numpy as np
import pytest

from sklearn_nndyn import Dynamics, EntanglementAnalyzer
from sklearn_nndyn.utils.text import figure, percent
from tests.analyzers.planted_entanglement import (
    EPOCHS,
    curve,
    learned_in_turn,
    planted_radii,
    planted_record,
    record_of,
)


def fitted(radii=None, correct=None, classes=("ant", "bee", "cow"), **parameters):
    radii = planted_radii() if radii is None else radii
    correct = learned_in_turn() if correct is None else correct
    return EntanglementAnalyzer(**parameters).fit(record_of(radii, correct, classes))


def same_radii(bends, n_classes):
    return np.transpose([curve(bends)] * n_classes)


def test_the_whole_paragraph():
    found = EntanglementAnalyzer().fit(planted_record())
    start, turn, end = found.mean_radius_[[0, 14, -1]]
    error = found.training_error_
    near = found.reentanglement_
    assert sorted([(0, 1), (0, 2), (1, 2)], key=lambda pair: -near[pair]) == [(0, 2), (0, 1), (1, 2)]
    assert near[1, 2] > 0
    assert found.summary() == (
        "Read from a record: layer last of 60 samples of 3 classes at 25 epochs, 0 to 300. The mean radius of the "
        f"classes fell from {figure(start)} to {figure(turn)} at epoch 105; at the end it is {figure(end)}. Until then "
        "the classes came apart, since then they mix again: the inversion point, at a training error of "
        f"{percent(error[14])}. Still misclassified there are 31 samples: the stragglers. The training error ends at "
        f"{percent(error[-1])}. By its own radius 2 of 3 classes turn: ant at epoch 55 (error {percent(error[10])}), "
        f"cow at epoch 171 (error {percent(error[18])}). The pairs that have come nearest again since their distance "
        f"was greatest: ant and cow ({figure(near[0, 2])}), ant and bee ({figure(near[0, 1])}), bee and cow "
        f"({figure(near[1, 2])})."
    )


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("ant", "The radius of class ant fell from 0.9 to 0.5 at epoch 55; at the end it is 0.85."),
        ("cow", "The radius of class cow fell from 0.8 to 0.55 at epoch 171; at the end it is 0.7."),
        ("bee", "The radius of class bee went from 0.95 to 0.3 and has no least value from which it turned back for "
         "good: there is no inversion point here, and no stragglers."),
    ],
)  # fmt: skip
def test_it_falls_from_the_highest_value_before(reference, words):
    """Which need not be the first: the radius of cows rises before it falls."""
    assert words in fitted(reference=reference).summary()


def test_it_falls_since_the_burning_in():
    text = fitted(reference="cow", burn_in=int(EPOCHS[11])).summary()
    assert f"fell from {figure(curve({0: 0.6, 4: 0.8, 18: 0.55})[11])} to 0.55 at epoch 171" in text


def test_the_words_for_distances():
    found = fitted(same_radii({0: 0.9, 10: 0.5, 24: 0.8}, 3), reference="distance")
    first, turn, end = np.sqrt(2 - 2 * np.array([0.9, 0.5, 0.8]) ** 2)
    assert (
        f"The mean distance between class centroids grew from {figure(first)} to {figure(turn)} at epoch 55; at the "
        f"end it is {figure(end)}." in found.summary()
    )
    falls = fitted(same_radii({0: 0.9, 24: 0.2}, 3), reference="distance").summary()
    assert "The mean distance between class centroids went from " in falls
    assert "has no greatest value from which it turned back for good" in falls


def test_the_words_hold_for_a_first_rise_too():
    found = fitted(rule="first_rise", reference="cow", burn_in=5)
    assert found.inversion_ == 3
    assert (
        "The radius of class cow fell from 0.75 to 0.75 at epoch 6; at the end it is 0.7. Until then the classes came "
        "apart, but later they came apart further: the inversion point" in found.summary()
    )
    assert "since then they mix again: the inversion point" in fitted().summary()


@pytest.mark.parametrize(("wrong", "words"), [
    (0, "No sample is misclassified there: there are no stragglers. The training error ends at 0 %."),
    (1, "Still misclassified there is 1 sample: the stragglers. The training error ends at 1.67 %."),
    (2, "Still misclassified there are 2 samples: the stragglers. The training error ends at 3.33 %."),
])  # fmt: skip
def test_stragglers_are_counted(wrong, words):
    correct = np.ones((60, 25), dtype=bool)
    correct[:wrong] = False
    assert words in fitted(correct=correct).summary()


@pytest.mark.parametrize(("n_turning", "words"), [
    (0, "No class's own radius turns."),
    (1, "By its own radius 1 of 14 classes turns: 0 at epoch 55 (error 33.3 %)."),
    (12, "By its own radius 12 of 14 classes turn: 0 at epoch 55 (error 33.3 %), 1 at epoch 55"),
    (13, "By their own radii 13 of 14 classes turn, at epochs 55 to 171."),
])  # fmt: skip
def test_classes_that_turn_are_named_up_to_twelve(n_turning, words):
    radii = same_radii({0: 0.9, 24: 0.1}, 14)
    radii[:, :n_turning] = curve({0: 0.9, 10: 0.5, 24: 0.6})[:, None]
    radii[:, 12:n_turning] = curve({0: 0.9, 18: 0.5, 24: 0.6})[:, None]
    correct = np.tile(np.arange(25) >= 11, (60, 1))
    correct[:40] = True
    assert words in fitted(radii, correct, tuple(range(14))).summary()


def test_where_all_classes_turn_it_says_so():
    text = fitted(same_radii({0: 0.9, 10: 0.5, 24: 0.6}, 2), classes=(False, True)).summary()
    assert "By its own radius each class turns: False at epoch 55" in text
    assert ", True at epoch 55" in text
    assert text.endswith("%).")  # of two classes there is one pair: it is not told


def test_the_three_pairs_that_have_come_nearest_are_told():
    """Of four classes one comes nearer to each of the others; or of three two, while the third goes on."""
    radii = same_radii({0: 0.9, 24: 0.89}, 4)
    radii[:, 2] = curve({0: 0.9, 10: 0.2, 24: 0.8})
    found = fitted(radii, classes=(0, 1, 2, 3))
    assert np.count_nonzero(found.reentanglement_) == 6
    assert found.summary().count(" and ") == 3
    assert "2 and 3 (" in found.summary()
    radii = np.transpose([curve(bends) for bends in 2 * [{0: 0.9, 10: 0.6, 24: 0.7}] + [{0: 0.99, 24: 0.2}]])
    near = fitted(radii).reentanglement_[0, 1]
    assert f"since their distance was greatest: ant and bee ({figure(near)})." in fitted(radii).summary()
    radii[:, 0] = radii[:, 2]
    assert "nearest again" not in fitted(radii).summary()


def test_classes_without_samples_are_said():
    record = planted_record()
    centroids = {"last": record.centroids["last"].copy()}
    centroids["last"][:, 1:] = np.nan
    record = planted_record(centroids=centroids)
    text = EntanglementAnalyzer(reference="bee").fit(record).summary()
    assert (
        "The radius of class bee is not defined here: it has no samples. So there is no inversion point."
        in text
    )
    text = EntanglementAnalyzer(reference="distance").fit(record).summary()
    assert (
        "between class centroids is not defined here: there are no two classes with samples. So there is"
        in text
    )
    assert "By its own radius 1 of 3 classes turns: ant at epoch 55" in text


def test_one_class_is_one_class():
    found = fitted(same_radii({0: 0.9, 10: 0.5, 24: 0.6}, 1), np.ones((5, 25), bool), classes=("ant",))
    assert "layer last of 5 samples of 1 class at 25 epochs, 0 to 300." in found.summary()
    assert "By its own radius each class turns: ant at epoch 55 (error 0 %)." in found.summary()


def two_classes(length, apart):
    """Centroids of two classes of these lengths (n_epochs,), so far apart (n_epochs,)."""
    half = np.arcsin(apart / 2 / length)
    centroids = length[:, None, None] * np.stack(
        [np.stack([np.cos(side * half), np.sin(side * half)], axis=1) for side in (-1, 1)], axis=1
    )
    n_epochs, y = len(length), np.arange(10) % 2
    return Dynamics(
        y=y,
        classes=[0, 1],
        epochs=np.arange(n_epochs),
        prediction=np.repeat(y[:, None], n_epochs, axis=1),
        centroids={"hidden": centroids},
    )


def test_radius_and_distance_are_both_told_where_only_one_of_them_turns():
    bend, rise = np.interp(np.arange(21), [0, 10, 20], [0.4, 0.8, 0.6]), np.linspace(0.4, 0.8, 21)
    only_radius = EntanglementAnalyzer().fit(two_classes(bend, np.linspace(0.2, 1.1, 21)))
    assert only_radius.inversion_epoch_ == 10
    assert "The mean distance between class centroids has no such turn." in only_radius.summary()
    only_distance = EntanglementAnalyzer().fit(two_classes(rise, bend))
    assert only_distance.inversion_epoch_ is None
    text = only_distance.summary()
    assert "But the mean distance between class centroids turns, at epoch 10: the two do not agree." in text
    both = EntanglementAnalyzer().fit(two_classes(bend, bend)).summary()
    assert "no such turn" not in both
    assert "do not agree" not in both

"""Findings and paragraph of an EntanglementAnalyzer: figures are those of the attributes, every case has its words."""

import numpy as np
import pytest
from scipy.stats import binomtest

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
from tests.analyzers.saying import finding, flat, verdicts


def fitted(radii=None, correct=None, classes=("ant", "bee", "cow"), **parameters):
    radii = planted_radii() if radii is None else radii
    correct = learned_in_turn() if correct is None else correct
    return EntanglementAnalyzer(**parameters).fit(record_of(radii, correct, classes))


def same_radii(bends, n_classes):
    return np.transpose([curve(bends)] * n_classes)


def test_the_whole_paragraph():
    found = EntanglementAnalyzer().fit(planted_record())
    grown = found.mean_radius_[-1] - found.mean_radius_[14]
    assert verdicts(found) == {"EN1": "yes", "EN2": "yes", "EN3": "yes", "EN4": "no"}
    assert flat(found.summary()) == (
        "The classes of layer last separate until epoch 105 and mix again from then on: the mean radius of the "
        f"classes, how far samples lie from the centre of their class, has grown by {figure(grown)} (noise alone gives "
        f"up to {figure(finding(found, 'EN1').null)}). The mean distance "
        f"between class centroids turns too, at epoch {found.distance_inversion_epoch_}. Still misclassified at the "
        f"turn are 31 samples ({percent(31 / 60)}): the stragglers. 2 of 3 classes mix again by their own "
        "radius. Look at "
        "the stragglers, straggler_indices_; straggler_stability asks whether they are the same with other seeds. Read "
        "from a record: 60 samples of 3 classes."
    )


def test_the_figures_are_those_of_the_attributes():
    found = EntanglementAnalyzer().fit(planted_record())
    turn, other, stragglers, classes = found.findings_
    assert turn.value == found.mean_radius_[-1] - found.mean_radius_[found.inversion_]
    assert turn.interval is None, "the planted curves have no noise"
    assert turn.null == pytest.approx(0.01 * np.ptp(found.mean_radius_))
    at = np.searchsorted(found.epochs_, found.distance_inversion_epoch_)
    assert other.value == pytest.approx(found.mean_distance_[at] - found.mean_distance_[-1])
    assert stragglers.value == found.inversion_error_
    np.testing.assert_allclose(stragglers.interval, tuple(binomtest(31, 60).proportion_ci(method="wilson")))
    assert (stragglers.null, found.guess_error_) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert classes.value == 2 / 3


@pytest.mark.parametrize("seed", range(5))
def test_noise_gives_an_interval_and_more_of_it_a_higher_bar(seed):
    rng = np.random.default_rng(seed)
    radii = np.interp(np.arange(80), [0, 30, 79], [0.9, 0.4, 0.7])[:, None] + 0.004 * rng.normal(size=(80, 2))
    centroids = np.sqrt(1 - radii**2)[:, :, None] * np.eye(2)
    y = np.arange(20) % 2
    record = Dynamics(
        y=y, classes=[0, 1], epochs=np.arange(80), prediction=np.repeat(y[:, None], 80, axis=1),
        centroids={"hidden": centroids},
    )  # fmt: skip
    turn = finding(EntanglementAnalyzer().fit(record), "EN1")
    assert turn.verdict == "yes"
    assert turn.interval[0] < turn.value < turn.interval[1]
    assert turn.interval[0] < 0.3 < turn.interval[1]
    assert turn.null > 0.01 * np.ptp(record.centroids["hidden"][:, 0, 0])


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (
            "ant",
            "separate until epoch 55 and mix again from then on: the radius of class ant, how far samples lie from "
            "the centre of their class, has grown by 0.35",
        ),
        (
            "cow",
            "separate until epoch 171 and mix again from then on: the radius of class cow, how far samples lie from "
            "the centre of their class, has grown by 0.15",
        ),
        (
            "bee",
            "By the radius of class bee, the classes of layer last do not mix again: it has no least value from which "
            "it turns back for good. The mean distance between class centroids does turn, at epoch",
        ),
    ],
)
def test_the_curve_of_reference_is_named(reference, words):
    assert words in flat(fitted(reference=reference).summary())


def test_the_words_for_distances():
    found = fitted(same_radii({0: 0.9, 10: 0.5, 24: 0.8}, 3), reference="distance")
    turn, end = np.sqrt(2 - 2 * np.array([0.5, 0.8]) ** 2)
    text = flat(found.summary())
    assert (
        f"mix again from then on: the mean distance between class centroids has shrunk by {figure(turn - end)}"
        in text
    )
    assert "The mean radius of the classes turns too, at epoch 55." in text
    falls = flat(fitted(same_radii({0: 0.9, 24: 0.2}, 3), reference="distance").summary())
    assert "By the mean distance between class centroids, the classes of layer last do not mix again" in falls
    assert "it has no greatest value from which it turns back for good" in falls


def test_a_first_rise_that_does_not_last_is_no_mixing():
    found = fitted(rule="first_rise", reference="cow", burn_in=5)
    assert (found.inversion_, found.mean_radius_[-1] < found.mean_radius_[3]) == (3, True)
    assert verdicts(found)["EN1"] == verdicts(found)["EN3"] == "no"
    text = flat(found.summary())
    assert "do not mix again: the turn by the rule asked for, at epoch 6, does not last." in text
    assert 'Use rule="extremum" for a turn that lasts.' in text


@pytest.mark.parametrize(("wrong", "words"), [
    (0, "No sample is misclassified at the turn: there are no stragglers."),
    (1, "Still misclassified at the turn is 1 sample (1.67 %): the stragglers."),
    (2, "Still misclassified at the turn are 2 samples (3.33 %): the stragglers."),
])  # fmt: skip
def test_stragglers_are_counted(wrong, words):
    correct = np.ones((60, 25), dtype=bool)
    correct[:wrong] = False
    found = fitted(correct=correct)
    assert words in flat(found.summary())
    assert finding(found, "EN3").verdict == ("yes" if wrong else "no")
    assert ("straggler_indices_" in found.summary()) == bool(wrong)


@pytest.mark.parametrize(("n_turning", "verdict", "words"), [
    (0, "no", "No class mixes again by its own radius."),
    (1, "no", "1 of 14 classes mixes again by its own radius."),
    (12, "no", "12 of 14 classes mix again by their own radius."),
    (14, "yes", "All classes mix again by their own radius."),
])  # fmt: skip
def test_classes_that_turn_are_counted(n_turning, verdict, words):
    radii = same_radii({0: 0.9, 24: 0.1}, 14)
    radii[:, :n_turning] = curve({0: 0.9, 10: 0.5, 24: 0.6})[:, None]
    correct = np.tile(np.arange(25) >= 11, (60, 1))
    found = fitted(radii, correct, tuple(range(14)))
    assert finding(found, "EN4").verdict == verdict
    assert words in flat(found.summary())


@pytest.mark.parametrize("n_falling", [0, 1])
def test_classes_that_turn_by_no_more_than_their_wander_are_not_counted(n_falling):
    """A wander that lasts makes turns that the rule finds; of them it cannot be told, unless a class has none."""
    wander = np.cumsum(np.random.default_rng(19).normal(size=(4, 25)), axis=1).T
    radii = 0.5 + 0.02 * (wander - wander[-1])
    radii[:, :n_falling] = curve({0: 0.9, 24: 0.1})[:, None]
    found = fitted(radii, np.tile(np.arange(25) >= 11, (60, 1)), tuple("abcd"))
    assert np.count_nonzero(~np.isnan(found.class_inversion_epochs_)) == 2
    own = finding(found, "EN4")
    assert (own.verdict, own.value) == ("no" if n_falling else "cannot tell", 0)
    assert own.statement == "No class mixes again beyond noise by its own radius."


def test_classes_without_samples_are_said_and_not_counted():
    record = planted_record()
    centroids = {"last": record.centroids["last"].copy()}
    centroids["last"][:, 1:] = np.nan
    record = planted_record(centroids=centroids)
    found = EntanglementAnalyzer(reference="bee").fit(record)
    assert verdicts(found) == {"EN1": "cannot tell", "EN2": "cannot tell", "EN3": "cannot tell", "EN4": "yes"}
    text = flat(found.summary())
    assert "cannot be told: the radius of class bee is not defined here, for want of samples." in text
    assert "All classes mix" not in text
    assert "The one class mixes again by its own radius." in text
    assert "cannot be told: the mean distance between class centroids is not defined" in flat(
        EntanglementAnalyzer(reference="distance").fit(record).summary()
    )


def test_one_class_is_one_class():
    found = fitted(same_radii({0: 0.9, 10: 0.5, 24: 0.6}, 1), np.ones((5, 25), bool), classes=("ant",))
    assert flat(found.summary()).endswith("5 samples of 1 class.")
    assert verdicts(found) == {"EN1": "yes", "EN2": "cannot tell", "EN3": "no", "EN4": "yes"}


def test_of_fewer_than_nine_epochs_nothing_is_told():
    record = planted_record()
    few = record.select_epochs(EPOCHS[[0, 4, 8, 11, 14, 17, 20, 24]])
    found = EntanglementAnalyzer().fit(few)
    assert set(verdicts(found).values()) == {"cannot tell"}
    assert "of 8 recorded epochs the noise is not known. Record nine epochs or more" in flat(found.summary())
    assert finding(EntanglementAnalyzer().fit(record), "EN1").verdict == "yes"


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
    assert only_radius.inversion_epoch_ == only_radius.radius_inversion_epoch_ == 10
    assert verdicts(only_radius)["EN2"] == "no"
    assert (
        "But the mean distance between class centroids has no such turn: the two measures do not agree."
        in flat(only_radius.summary())
    )
    only_distance = EntanglementAnalyzer().fit(two_classes(rise, bend))
    assert only_distance.inversion_epoch_ is None
    assert [verdicts(only_distance)[code] for code in ("EN1", "EN2", "EN3")] == ["no", "no", "no"]
    text = flat(only_distance.summary())
    assert (
        "The mean distance between class centroids does turn, at epoch 10: the two measures do not agree."
        in text
    )
    both = EntanglementAnalyzer().fit(two_classes(bend, bend))
    assert verdicts(both)["EN2"] == "yes"
    assert "agree" not in both.summary()


def test_a_turn_within_the_noise_cannot_be_told():
    radius = np.interp(np.arange(60), [0, 30, 59], [0.9, 0.5, 0.51]) + 0.004 * np.random.default_rng(
        0
    ).normal(size=60)
    length = np.sqrt(1 - radius**2)
    found = EntanglementAnalyzer().fit(two_classes(length, length))
    assert found.inversion_epoch_ is None
    assert verdicts(found)["EN1"] == verdicts(found)["EN3"] == "cannot tell"
    assert "the turn of the mean radius of the classes is no larger than its noise." in flat(found.summary())

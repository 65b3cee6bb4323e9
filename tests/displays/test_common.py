"""What all displays have in common: doors that answer alike, and styles that reach the artists."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_nndyn import DynamicsClassifier, displays
from sklearn_nndyn.analyzers import (
    EntanglementAnalyzer,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    RefinementAnalyzer,
    SampleScoreAnalyzer,
)
from tests.analyzers.planted_phases import phase_record
from tests.analyzers.refinement.planted_scores import planted_record
from tests.displays.entangled import entangled_record

DISPLAYS = {name: getattr(displays, name) for name in displays.__all__ if name.endswith("Display")}
DOORS = {
    f"{name}.{door}": getattr(display, door)
    for name, display in DISPLAYS.items()
    for door in dir(display)
    if door.startswith("from_")
}
ANALYZERS = {
    "LossTailDisplay": LossTailAnalyzer,
    "LossShareDisplay": LossTailAnalyzer,
    "WorstSamplesDisplay": LossTailAnalyzer,
    "EntanglementDisplay": EntanglementAnalyzer,
    "ClassEntanglementDisplay": EntanglementAnalyzer,
    "StragglerGalleryDisplay": EntanglementAnalyzer,
    "LearningPhaseDisplay": LearningPhaseAnalyzer,
    "DataMapDisplay": SampleScoreAnalyzer,
    "RefinementDisplay": RefinementAnalyzer,
}
IMAGES = np.arange(24.0).reshape(6, 2, 2)
BESIDE = {"dynamics": None, "X": IMAGES, "X_train": IMAGES, "y": [0, 1] * 3}  # what a door needs besides


def open_door(door, given):
    first, *others = inspect.signature(door).parameters.values()
    needed = {p.name: BESIDE[p.name] for p in others if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    if door.__name__ == "from_estimators":
        needed["X"] = IMAGES[:, 0]
    if "dynamics" in needed:
        needed["dynamics"] = entangled_record()
    return door(**{first.name: given}, **needed)


def doors_of_several(door):
    return "Stability" in door.__qualname__ or door.__name__ == "from_estimators"


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_door_answers_a_foreign_object_with_a_type_error_that_says_what_is_wanted(door):
    several = doors_of_several(door) and door.__name__ != "from_stability"
    for foreign in (object(), "tails", 3, LossTailAnalyzer, DynamicsClassifier):
        with pytest.raises(TypeError, match=r"^Expected .*[,;] got "):
            open_door(door, [foreign, foreign] if several else foreign)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_door_answers_what_is_not_fitted_with_a_not_fitted_error(door):
    name = door.__qualname__.split(".")[0]
    if door.__name__ in ("from_comparison", "from_stability"):
        pytest.skip("a result, which is never unfitted")
    unfitted = ANALYZERS[name]() if door.__name__ == "from_analyzer" else DynamicsClassifier()
    with pytest.raises(NotFittedError, match="fit"):
        open_door(door, [unfitted, unfitted] if doors_of_several(door) else unfitted)


def test_every_analyzer_is_refused_by_the_displays_of_another():
    for name in ANALYZERS:
        stranger = LossTailAnalyzer() if ANALYZERS[name] is not LossTailAnalyzer else SampleScoreAnalyzer()
        with pytest.raises(TypeError, match=f"^Expected a fitted {ANALYZERS[name].__name__}, got "):
            open_door(DISPLAYS[name].from_analyzer, stranger)


# ------------------------------------------------------------------------------------------ styles

LOSSES = np.array([[1.0, 0.5, 0.1], [1.0, 0.4, 0.1], [1.0, 0.9, 3.0]])
LINES = {"linewidth": 3.5, "c": "magenta"}


def comparison(display):
    return display(["log", "l2"], [0, 1], [[0.5, 0.8], [0.5, 0.9]], [[0.1, 0.1], [0.1, 0.1]])


MADE = {
    "TrainingCurveDisplay": (
        lambda: displays.TrainingCurveDisplay(
            displays.TrainingCurves(
                epochs=[0, 1],
                loss_mean=np.ones(2),
                loss_median=np.ones(2),
                accuracy=[0.5, 1],
                loss_band=np.array([[0.5, 0.5], [2.0, 2.0]]),
            )
        ),
        lambda d: [*d.lines_["train"].values()],
        LINES,
    ),
    "LossTailDisplay": (
        lambda: displays.LossTailDisplay.from_dynamics(LOSSES),
        lambda d: [*d.lines_.values()],
        LINES,
    ),
    "LossShareDisplay": (
        lambda: displays.LossShareDisplay.from_dynamics(LOSSES),
        lambda d: [*d.share_lines_, *d.concentration_lines_],
        LINES,
    ),
    "LossDensityDisplay": (
        lambda: displays.LossDensityDisplay(
            [0, 1], [1, 2, 3], np.full((2, 2), 0.5), [1, 1], [1, 1], onset_epoch=0
        ),
        lambda d: [d.mesh_],
        {"alpha": 0.25},
    ),
    "LossHeatmapDisplay": (
        lambda: displays.LossHeatmapDisplay([0, 1], [1, 2, 3], np.ones((2, 2)), onset_epoch=0),
        lambda d: [d.mesh_],
        {"alpha": 0.25},
    ),
    "EntanglementDisplay": (
        lambda: displays.EntanglementDisplay.from_dynamics(entangled_record()),
        lambda d: [line for pair in d.radius_lines_ + d.distance_lines_ for line in pair],
        LINES,
    ),
    "ClassEntanglementDisplay": (
        lambda: displays.ClassEntanglementDisplay.from_dynamics(entangled_record()),
        lambda d: d.radius_lines_,
        LINES,
    ),
    "StragglerStabilityDisplay": (
        lambda: displays.StragglerStabilityDisplay([[1, 0.5], [0.5, 1]], [0.2, 0.1], [0.5, 0.6], [3.0, 4.0]),
        lambda d: [d.image_],
        {"alpha": 0.25},
    ),
    "StragglerGalleryDisplay": (
        lambda: displays.StragglerGalleryDisplay(IMAGES, "abcdef", "bcdefg", [np.nan] * 6, range(6)),
        lambda d: d.images_,
        {"alpha": 0.25},
    ),
    "WorstSamplesDisplay": (
        lambda: displays.WorstSamplesDisplay(IMAGES, "abcdef", "bcdefg", [1] * 6, [2] * 6, range(6)),
        lambda d: d.images_,
        {"alpha": 0.25},
    ),
    "ReconstructedImagesDisplay": (
        lambda: displays.ReconstructedImagesDisplay(IMAGES, [IMAGES], [1]),
        lambda d: d.images_.ravel(),
        {"alpha": 0.25},
    ),
    "LearningPhaseDisplay": (
        lambda: displays.LearningPhaseDisplay.from_dynamics(phase_record()),
        lambda d: [d.line_, *d.accuracy_lines_.values()],
        LINES,
    ),
    "RefinementDisplay": (
        lambda: displays.RefinementDisplay.from_dynamics(planted_record(n_samples=60)),
        lambda d: [*d.lines_.values()],
        LINES,
    ),
    "DataMapDisplay": (
        lambda: displays.DataMapDisplay([0.1, 0.2], [0.5, 0.6], [0.5, 1.0]),
        lambda d: [d.points_],
        {"alpha": 0.25},
    ),
    "LossComparisonDisplay": (
        lambda: comparison(displays.LossComparisonDisplay),
        lambda d: [*d.lines_.values()],
        LINES,
    ),
    "NoiseRobustnessDisplay": (
        lambda: comparison(displays.NoiseRobustnessDisplay),
        lambda d: [*d.lines_.values()],
        LINES,
    ),
    "DecisionRegionsDisplay": (
        lambda: displays.DecisionRegionsDisplay(
            {"one": np.array([[0, 1], [1, 0]])},
            *np.mgrid[:2, :2],
            np.zeros((2, 2)),
            [0, 1],
            {"one": 0.5},
            [0, 1],
        ),
        lambda d: [*d.regions_.values()],
        {"alpha": 0.25},
    ),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_style_goes_to_the_main_artists_before_our_own(name):
    make, artists, style = MADE[name]
    plain, styled = make().plot(), make().plot(**style)
    for before, after in zip(artists(plain), artists(styled), strict=True):
        for key, value in style.items():
            key = {"c": "color"}.get(key, key)
            assert plt.getp(after, key) == value != plt.getp(before, key)


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_style_that_no_artist_has_is_refused(name):
    with pytest.raises(AttributeError, match="colr"):
        MADE[name][0]().plot(colr="red")


@pytest.mark.parametrize(
    ("name", "keyword", "artists", "style"),
    [
        ("TrainingCurveDisplay", "fill_between_kw", lambda d: [*d.bands_.values()], {"alpha": 0.9}),
        ("LossTailDisplay", "fill_between_kw", lambda d: [d.band_], {"alpha": 0.9}),
        ("RefinementDisplay", "fill_between_kw", lambda d: [d.band_], {"alpha": 0.9}),
        ("LearningPhaseDisplay", "fill_between_kw", lambda d: [d.band_], {"alpha": 0.9}),
        ("LossComparisonDisplay", "fill_between_kw", lambda d: [*d.bands_.values()], {"alpha": 0.9}),
        ("LossDensityDisplay", "line_kw", lambda d: [*d.lines_.values()], {"linewidth": 3.5}),
        ("StragglerStabilityDisplay", "line_kw", lambda d: [*d.lines_.values()], {"linewidth": 3.5}),
        ("DecisionRegionsDisplay", "scatter_kw", lambda d: [*d.points_.values()], {"alpha": 0.9}),
    ],
)
def test_other_artists_have_styles_of_their_own(name, keyword, artists, style):
    display = MADE[name][0]().plot(**{keyword: style})
    assert len(artists(display))
    for artist in artists(display):
        assert {key: plt.getp(artist, key) for key in style} == style


# -------------------------------------------------------------- names of the user's, letter by letter


def words_of(figure):
    """What is to be read in a picture, and whether it is set as mathematics."""
    figure.canvas.draw()
    found = [text._preprocess_math(text.get_text()) for text in figure.findobj(Text) if text.get_text()]
    return " ".join(words for words, _ in found), any(mathematics for _, mathematics in found)


def of_classes(name):
    record = entangled_record(classes=[name, f"{name}~"])
    return displays.ClassEntanglementDisplay.from_dynamics(record)


def of_pictures(name):
    record = entangled_record(classes=[name, f"{name}~"])
    return displays.StragglerGalleryDisplay.from_dynamics(record, np.zeros((20, 8, 8)))


def of_a_legend(name):
    return displays.EntanglementDisplay.from_dynamics(
        [entangled_record(), entangled_record()], labels=[name, "other"]
    )


def of_regions(name):
    X, y = np.arange(8.0).reshape(4, 2), [name, name, f"{name}~", f"{name}~"]
    return displays.DecisionRegionsDisplay.from_estimators({name: LogisticRegression().fit(X, y)}, X, y)


def of_a_layer(name):
    return displays.LearningPhaseDisplay.from_dynamics(phase_record(layer=name))


NAMED = {
    "classes": of_classes,
    "pictures": of_pictures,
    "legend": of_a_legend,
    "regions": of_regions,
    "layer": of_a_layer,
}


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("$\\frac$", "$\\frac$"), ("$a^1$", "$a^1$"), ("_b", "\u2009_b"), ("100%<&", "100%<&")],
)
@pytest.mark.parametrize("kind", NAMED.values(), ids=NAMED)
def test_names_are_drawn_letter_by_letter(kind, name, drawn):
    """A pair of dollars is no mathematics, and an underscore hides nothing from a legend."""
    words, mathematics = words_of(kind(name).plot().figure_)
    assert not mathematics
    assert drawn in words.replace("\u2009 ", "\u2009")

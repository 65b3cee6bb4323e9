"""How classes separate and mix again: the inversion point, its stragglers, and the formulas to find them by."""

from sklearn_nndyn.analyzers._curves import curve_noise, rise_beyond_wander, wander_correlation
from sklearn_nndyn.analyzers.entanglement._analyzer import EntanglementAnalyzer
from sklearn_nndyn.analyzers.entanglement._collapse import simplex_distance, within_class_share
from sklearn_nndyn.analyzers.entanglement._overlap import chance_overlap, jaccard, overlap, overlap_z
from sklearn_nndyn.analyzers.entanglement._separation import (
    distances,
    mean_distance,
    mean_radius,
    radii,
    similarities,
)
from sklearn_nndyn.analyzers.entanglement._stability import StragglerStability, straggler_stability
from sklearn_nndyn.analyzers.entanglement._turn import (
    first_rise,
    lasting_turn,
    smoothed_curve,
    turning_point,
)

__all__ = [
    "EntanglementAnalyzer",
    "StragglerStability",
    "chance_overlap",
    "curve_noise",
    "distances",
    "first_rise",
    "jaccard",
    "lasting_turn",
    "mean_distance",
    "mean_radius",
    "overlap",
    "overlap_z",
    "radii",
    "rise_beyond_wander",
    "similarities",
    "simplex_distance",
    "smoothed_curve",
    "straggler_stability",
    "turning_point",
    "wander_correlation",
    "within_class_share",
]

"""Pictures of records and of what analyzers found in them: a folder for each phenomenon."""

from sklearn_nndyn.displays._decision_regions import DecisionRegionsDisplay
from sklearn_nndyn.displays._split_curves import TrainingCurves
from sklearn_nndyn.displays._training_curve import TrainingCurveDisplay
from sklearn_nndyn.displays.comparison import LossComparisonDisplay, NoiseRobustnessDisplay
from sklearn_nndyn.displays.entanglement import (
    ClassEntanglementDisplay,
    EntanglementDisplay,
    StragglerGalleryDisplay,
    StragglerStabilityDisplay,
)
from sklearn_nndyn.displays.learning_phases import LearningPhaseDisplay, ReconstructedImagesDisplay
from sklearn_nndyn.displays.loss_tails import (
    LossDensityDisplay,
    LossHeatmapDisplay,
    LossShareDisplay,
    LossTailDisplay,
)
from sklearn_nndyn.displays.refinement import RefinementDisplay
from sklearn_nndyn.displays.sample_scores import DataMapDisplay, WorstSamplesDisplay

__all__ = [
    "ClassEntanglementDisplay",
    "DataMapDisplay",
    "DecisionRegionsDisplay",
    "EntanglementDisplay",
    "LearningPhaseDisplay",
    "LossComparisonDisplay",
    "LossDensityDisplay",
    "LossHeatmapDisplay",
    "LossShareDisplay",
    "LossTailDisplay",
    "NoiseRobustnessDisplay",
    "ReconstructedImagesDisplay",
    "RefinementDisplay",
    "StragglerGalleryDisplay",
    "StragglerStabilityDisplay",
    "TrainingCurveDisplay",
    "TrainingCurves",
    "WorstSamplesDisplay",
]

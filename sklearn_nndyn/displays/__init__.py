"""Pictures of records and of what analyzers found in them."""

from sklearn_nndyn.displays._decision_regions import DecisionRegionsDisplay
from sklearn_nndyn.displays._training_curve import TrainingCurveDisplay, TrainingCurves
from sklearn_nndyn.displays.comparison._losses import LossComparisonDisplay
from sklearn_nndyn.displays.comparison._noise_robustness import NoiseRobustnessDisplay
from sklearn_nndyn.displays.entanglement._classes import ClassEntanglementDisplay
from sklearn_nndyn.displays.entanglement._curves import EntanglementDisplay
from sklearn_nndyn.displays.entanglement._straggler_gallery import StragglerGalleryDisplay
from sklearn_nndyn.displays.entanglement._straggler_stability import StragglerStabilityDisplay
from sklearn_nndyn.displays.learning_phases._curves import LearningPhaseDisplay
from sklearn_nndyn.displays.learning_phases._reconstructed_images import ReconstructedImagesDisplay
from sklearn_nndyn.displays.learning_phases._worst_shares import WorstSharesDisplay
from sklearn_nndyn.displays.loss_tails._curves import LossTailDisplay
from sklearn_nndyn.displays.loss_tails._density import LossDensityDisplay
from sklearn_nndyn.displays.loss_tails._heatmap import LossHeatmapDisplay
from sklearn_nndyn.displays.loss_tails._shares import LossShareDisplay
from sklearn_nndyn.displays.sample_scores._data_map import DataMapDisplay
from sklearn_nndyn.displays.sample_scores._worst_samples import WorstSamplesDisplay

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
    "StragglerGalleryDisplay",
    "StragglerStabilityDisplay",
    "TrainingCurveDisplay",
    "TrainingCurves",
    "WorstSamplesDisplay",
    "WorstSharesDisplay",
]

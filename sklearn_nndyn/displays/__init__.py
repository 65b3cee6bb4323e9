"""Pictures of records and of what analyzers found in them."""

from sklearn_nndyn.displays._class_entanglement import ClassEntanglementDisplay
from sklearn_nndyn.displays._data_map import DataMapDisplay
from sklearn_nndyn.displays._decision_regions import DecisionRegionsDisplay
from sklearn_nndyn.displays._entanglement import EntanglementDisplay
from sklearn_nndyn.displays._learning_curve import TrainingCurveDisplay, TrainingCurves
from sklearn_nndyn.displays._learning_phases import LearningPhaseDisplay
from sklearn_nndyn.displays._loss_comparison import LossComparisonDisplay
from sklearn_nndyn.displays._loss_density import LossDensityDisplay
from sklearn_nndyn.displays._loss_heatmap import LossHeatmapDisplay
from sklearn_nndyn.displays._loss_shares import LossShareDisplay
from sklearn_nndyn.displays._loss_tails import LossTailDisplay
from sklearn_nndyn.displays._noise_robustness import NoiseRobustnessDisplay
from sklearn_nndyn.displays._reconstructed_images import ReconstructedImagesDisplay
from sklearn_nndyn.displays._straggler_gallery import StragglerGalleryDisplay
from sklearn_nndyn.displays._straggler_stability import StragglerStabilityDisplay
from sklearn_nndyn.displays._worst_samples import WorstSamplesDisplay
from sklearn_nndyn.displays._worst_shares import WorstSharesDisplay

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

"""Pictures of records and of what analyzers found in them."""

from sklearn_nndyn.displays._class_entanglement import ClassEntanglementDisplay
from sklearn_nndyn.displays._entanglement import EntanglementDisplay
from sklearn_nndyn.displays._learning_curve import TrainingCurveDisplay, TrainingCurves
from sklearn_nndyn.displays._loss_comparison import LossComparisonDisplay
from sklearn_nndyn.displays._loss_density import LossDensityDisplay
from sklearn_nndyn.displays._loss_heatmap import LossHeatmapDisplay
from sklearn_nndyn.displays._loss_shares import LossShareDisplay
from sklearn_nndyn.displays._loss_tails import LossTailDisplay
from sklearn_nndyn.displays._noise_robustness import NoiseRobustnessDisplay
from sklearn_nndyn.displays._straggler_gallery import StragglerGalleryDisplay
from sklearn_nndyn.displays._straggler_stability import StragglerStabilityDisplay
from sklearn_nndyn.displays._worst_samples import WorstSamplesDisplay

__all__ = [
    "ClassEntanglementDisplay",
    "EntanglementDisplay",
    "LossComparisonDisplay",
    "LossDensityDisplay",
    "LossHeatmapDisplay",
    "LossShareDisplay",
    "LossTailDisplay",
    "NoiseRobustnessDisplay",
    "StragglerGalleryDisplay",
    "StragglerStabilityDisplay",
    "TrainingCurveDisplay",
    "TrainingCurves",
    "WorstSamplesDisplay",
]

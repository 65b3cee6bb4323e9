"""Pictures of records and of what analyzers found in them."""

from sklearn_nndyn.displays._learning_curve import TrainingCurveDisplay, TrainingCurves
from sklearn_nndyn.displays._loss_density import LossDensityDisplay
from sklearn_nndyn.displays._loss_heatmap import LossHeatmapDisplay
from sklearn_nndyn.displays._loss_shares import LossShareDisplay
from sklearn_nndyn.displays._loss_tails import LossTailDisplay
from sklearn_nndyn.displays._worst_samples import WorstSamplesDisplay

__all__ = [
    "LossDensityDisplay",
    "LossHeatmapDisplay",
    "LossShareDisplay",
    "LossTailDisplay",
    "TrainingCurveDisplay",
    "TrainingCurves",
    "WorstSamplesDisplay",
]

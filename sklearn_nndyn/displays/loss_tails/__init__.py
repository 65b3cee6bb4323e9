"""Pictures of loss tails."""

from sklearn_nndyn.displays.loss_tails._curves import LossTailDisplay
from sklearn_nndyn.displays.loss_tails._density import LossDensityDisplay
from sklearn_nndyn.displays.loss_tails._heatmap import LossHeatmapDisplay
from sklearn_nndyn.displays.loss_tails._shares import LossShareDisplay

__all__ = ["LossDensityDisplay", "LossHeatmapDisplay", "LossShareDisplay", "LossTailDisplay"]

"""Pictures of compared losses."""

from sklearn_nndyn.displays.comparison._losses import LossComparisonDisplay
from sklearn_nndyn.displays.comparison._noise_robustness import NoiseRobustnessDisplay

__all__ = ["LossComparisonDisplay", "NoiseRobustnessDisplay"]

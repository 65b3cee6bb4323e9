"""Pictures of learning phases."""

from sklearn_nndyn.displays.learning_phases._curves import LearningPhaseDisplay
from sklearn_nndyn.displays.learning_phases._reconstructed_images import ReconstructedImagesDisplay

__all__ = ["LearningPhaseDisplay", "ReconstructedImagesDisplay"]

"""Pictures of sample scores."""

from sklearn_nndyn.displays.sample_scores._data_map import DataMapDisplay
from sklearn_nndyn.displays.sample_scores._worst_samples import WorstSamplesDisplay

__all__ = ["DataMapDisplay", "WorstSamplesDisplay"]

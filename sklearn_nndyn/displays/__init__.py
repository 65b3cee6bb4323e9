"""Pictures of records and of what analyzers found in them."""

from sklearn_nndyn.displays._learning_curve import TrainingCurveDisplay, TrainingCurves

__all__ = ["TrainingCurveDisplay", "TrainingCurves"]

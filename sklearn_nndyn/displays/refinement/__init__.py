"""Pictures of what the loss is made of: refinement and calibration."""

from sklearn_nndyn.displays.refinement._curves import RefinementDisplay

__all__ = ["RefinementDisplay"]

"""How much of the held-out loss is calibration, and the formulas to tell it by."""

from sklearn_nndyn.analyzers.refinement._analyzer import RefinementAnalyzer
from sklearn_nndyn.analyzers.refinement._decomposition import LossDecomposition, decompose_loss, temperatures

__all__ = ["LossDecomposition", "RefinementAnalyzer", "decompose_loss", "temperatures"]

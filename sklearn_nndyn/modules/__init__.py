"""Architectures: what is trained."""

from sklearn_nndyn.modules._build import build_module
from sklearn_nndyn.modules._mlp import MLP

__all__ = ["MLP", "build_module"]

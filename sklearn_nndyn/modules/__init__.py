"""Architectures: what is trained."""

from sklearn_nndyn.modules._build import build_module, check_kind, check_reinitialize
from sklearn_nndyn.modules._mlp import MLP
from sklearn_nndyn.modules._resnet import ResNet
from sklearn_nndyn.modules._vgg import VGG

__all__ = ["MLP", "VGG", "ResNet", "build_module"]

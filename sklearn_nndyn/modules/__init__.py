"""Architectures: what is trained."""

from sklearn_nndyn.modules._averaging import AveragedWeights
from sklearn_nndyn.modules._build import build_module, build_network, check_kind
from sklearn_nndyn.modules._mlp import MLP
from sklearn_nndyn.modules._resnet import ResNet
from sklearn_nndyn.modules._vgg import VGG

__all__ = ["MLP", "VGG", "AveragedWeights", "ResNet", "build_module"]

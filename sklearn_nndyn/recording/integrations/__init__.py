"""Callbacks that record what other frameworks train; each framework is imported when its callback is made."""

from sklearn_nndyn.recording.integrations._accelerate import AccelerateRecorder
from sklearn_nndyn.recording.integrations._keras import KerasRecorder
from sklearn_nndyn.recording.integrations._lightning import LightningRecorder
from sklearn_nndyn.recording.integrations._transformers import TransformersRecorder

__all__ = ["LightningRecorder", "TransformersRecorder", "KerasRecorder", "AccelerateRecorder"]  # noqa: RUF022

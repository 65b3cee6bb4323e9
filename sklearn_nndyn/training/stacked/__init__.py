"""The engine for many networks in one program; private to the package."""

from sklearn_nndyn.training.stacked._epoch_loop import StackedEpochLoop
from sklearn_nndyn.training.stacked._grouping import batch_size, make_members, make_stacks

__all__ = []

"""What a net is trained on: one tensor for all rows, on the device."""

import numpy as np
import torch
from skorch.dataset import Dataset


class TrainingData(Dataset):
    """Rows, class positions and weights as tensors; a skorch data set, so that callbacks can read it.

    Parameters
    ----------
    X : tensor of shape (n_samples, ...)
    y : tensor of shape (n_samples,)
        Class positions.
    weight : tensor of shape (n_samples,), optional
        In float64, normalised to a mean of one; None stands for ones.
    """

    def __init__(self, X, y, weight=None):
        super().__init__(X, y)
        self.weight = weight


def as_tensor(array, device):
    """The array as a tensor on the device, without a copy where the memory can be shared.

    A read-only array (memory mapped by joblib, say) is shared too: nothing here writes into data.
    """
    if not array.flags.writeable:
        array = np.asarray(_Writeable(array))
    return torch.from_numpy(array).to(device)


class _Writeable:
    """The same memory without the flag, at which torch would warn."""

    def __init__(self, array):
        self.array = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}

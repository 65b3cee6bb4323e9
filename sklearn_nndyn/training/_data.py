"""Training data of a net: rows on the device, as a tensor or as `Rows`."""

from skorch.dataset import Dataset

from sklearn_nndyn.utils.rows.arrays import Rows, tensor_of


class TrainingData(Dataset):
    """Rows, class positions and weights; a skorch data set, so that callbacks can read it.

    Parameters
    ----------
    X : tensor or Rows of shape (n_samples, ...)
    y : tensor of shape (n_samples,)
        Class positions.
    weight : tensor of shape (n_samples,), optional
        In float64, normalised to a mean of one; None stands for ones.
    """

    def __init__(self, X, y, weight=None):
        super().__init__(X, y, length=len(X))
        self.weight = weight


def as_tensor(array, device):
    """The array on the device, without a copy where the memory can be shared; `Rows` stay what they are."""
    return array.to(device) if isinstance(array, Rows) else tensor_of(array).to(device)

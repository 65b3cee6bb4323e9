"""What several tests of recording start from."""

import numpy as np
import pytest
from sklearn.datasets import make_classification


@pytest.fixture
def data():
    """Fifty samples of eight features in three classes, as a skorch net takes them."""
    X, y = make_classification(50, 8, n_informative=6, n_classes=3, random_state=0)
    return X.astype(np.float32), y.astype(np.int64)

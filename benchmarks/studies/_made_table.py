"""A table of 40 features and five classes, which no one has to fetch."""

import numpy as np
from sklearn.datasets import make_classification

N_ROWS = 4000


def made_table(n=N_ROWS):
    """X_train, y_train, X_test, y_test: two halves, standardised by the first, the first ``n`` of each."""
    X, y = make_classification(
        n_samples=2 * N_ROWS, n_features=40, n_informative=15, n_redundant=5, n_classes=5, n_clusters_per_class=4,
        flip_y=0.05, random_state=0,
    )  # fmt: skip
    train = X[:N_ROWS]
    X = ((X - train.mean(0)) / train.std(0)).astype(np.float32)
    return X[:N_ROWS][:n], y[:N_ROWS][:n], X[N_ROWS:][:n], y[N_ROWS:][:n]

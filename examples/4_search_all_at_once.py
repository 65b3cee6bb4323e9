"""Search with all candidates trained at once
==========================================

A grid search fits the same small network many times: here twelve losses on three folds, thirty-six fits. A step of
such a network is mostly waiting for Python, so `BatchedGridSearchCV` stacks them and takes each step for all of them
together. It is used like `GridSearchCV` and gives the same table: same batches in the same order, scores equal up to
rounding, which may turn the decision on a sample now and then.

With `return_dynamics=True` it also keeps what happened to every training sample in every fit, in
`candidate_dynamics_`. So a search answers more than which loss is best: below, after how many epochs each loss had
ninety percent of the training samples right.

A search that outgrows one machine runs on a Dask cluster by one more line; each worker trains its part at once::

    client = dask.distributed.Client("scheduler:8786")      # or Client() for this machine
    with joblib.parallel_config(backend="dask"):
        search.fit(X, y)

    python examples/4_search_all_at_once.py
"""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from sklearn_nndyn.losses import loss_names


def timed(search, X, y):
    """Seconds of a fit."""
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


def compare(one_by_one, at_once, seconds):
    """Times, and the scores of both."""
    print("                        seconds    best loss")
    for search, spent in zip((one_by_one, at_once), seconds, strict=True):
        print(f"{type(search).__name__:22}  {spent:7.1f}    {search.best_params_['loss']}")
    folds = [f"split{fold}_test_score" for fold in range(at_once.n_splits_)]
    differences = [np.abs(one_by_one.cv_results_[fold] - at_once.cv_results_[fold]).max() for fold in folds]
    print(f"Greatest difference of a score on a fold: {max(differences):.4f}\n")


def learned(search, share=0.9):
    """For each loss its score, and when its training samples were learned (mean over folds)."""
    print(
        f"loss                        accuracy    epochs until {share:.0%} of the training samples are right"
    )
    order = search.cv_results_["rank_test_score"].argsort()
    for i in order:
        records = search.candidate_dynamics_[i]
        reached = [record.epochs[record.accuracy >= share] for record in records]
        epochs = (
            f"{np.mean([epochs[0] for epochs in reached]):.1f}" if all(map(len, reached)) else "not reached"
        )
        print(
            f"{search.cv_results_['param_loss'][i]:24}    {search.cv_results_['mean_test_score'][i]:8.3f}    {epochs}"
        )


def main():
    """The same search twice."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    clf = DynamicsClassifier(lr=3e-3, batch_size=32, max_epochs=10, snapshots=False, random_state=0)
    grid = {"loss": loss_names("paper")}
    one_by_one = GridSearchCV(clf, grid, cv=3)
    at_once = BatchedGridSearchCV(clf, grid, cv=3, return_dynamics=True)
    seconds = [timed(search, X, y) for search in (one_by_one, at_once)]
    compare(one_by_one, at_once, seconds)
    learned(at_once)


if __name__ == "__main__":
    main()

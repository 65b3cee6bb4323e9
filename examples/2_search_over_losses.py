"""Search over losses like over any other parameter
================================================

The loss is a parameter of the classifier, so `GridSearchCV` compares losses as it compares anything else: here the
twelve of Janocha and Czarnecki on digits, scored by accuracy on held-out folds. Each candidate is trained with its
own loss; accuracy is what they have in common. All get the same learning rate, which suits some better than
others: a fair comparison tunes it for each (add `"lr"` to the grid).

The scaler sits in a Pipeline. Validation data must go through it as well; scikit-learn does that when asked
(`transform_input`), so early stopping inside a Pipeline works without a leak.

    python examples/2_search_over_losses.py
"""

import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import loss_names


def search(X, y):
    """Twelve losses, three folds."""
    clf = DynamicsClassifier(lr=3e-3, max_epochs=30, record=(), snapshots=False, random_state=0)
    found = GridSearchCV(clf, {"loss": loss_names("paper")}, cv=3, scoring="accuracy").fit(X, y)
    print("loss                      accuracy    seconds a fit")
    for i in found.cv_results_["rank_test_score"].argsort():
        print(
            f"{found.cv_results_['param_loss'][i]:22}    {found.cv_results_['mean_test_score'][i]:8.3f}    "
            f"{found.cv_results_['mean_fit_time'][i]:13.2f}"
        )
    return found.best_params_["loss"]


def pipeline(loss, X_train, X_test, y_train, y_test):
    """The best loss, scaled input, and validation data routed through the scaler."""
    clf = DynamicsClassifier(loss=loss, lr=3e-3, max_epochs=100, early_stopping=True, random_state=0)
    clf.set_fit_request(X_val=True, y_val=True)
    pipe = Pipeline([("scale", MinMaxScaler()), ("classify", clf)], transform_input=["X_val"])
    X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, stratify=y_train, random_state=0)
    pipe.fit(X_fit, y_fit, X_val=X_val, y_val=y_val)
    fitted = pipe[-1]
    print(
        f"\nIn a Pipeline with {loss}: stopped after {fitted.n_iter_} epochs, went back to epoch "
        f"{fitted.best_epoch_}; accuracy {pipe.score(X_test, y_test):.3f} on samples never seen."
    )


def main():
    """Search, then fit the winner."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    best = search(X_train / 16, y_train)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline(best, X_train, X_test, y_train, y_test)


if __name__ == "__main__":
    main()

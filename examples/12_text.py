"""Text through a Pipeline
=======================

`TfidfVectorizer` gives a sparse matrix, and the classifier keeps it sparse: rows are made dense a batch at a time. The
texts are the docstrings of scikit-learn itself; to be told is the subpackage that each comes from. Printed are the
accuracies on held-out docstrings, scikit-learn's linear models beside ours, and, from the record, which docstrings of
the training set were learned last: these speak of nothing that is particular to their subpackage.

    python examples/12_text.py
"""

import ast
from pathlib import Path

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_nndyn import DynamicsClassifier, SampleScoreAnalyzer

PACKAGES = ["cluster", "decomposition", "ensemble", "linear_model"]
PACKAGES += ["metrics", "model_selection", "preprocessing"]


def docstrings():
    """Texts, and the subpackage of each."""
    found = {}
    for package in PACKAGES:
        for path in sorted((Path(sklearn.__file__).parent / package).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                    found[ast.get_docstring(node)] = package
    return np.array(list(found), dtype=object), np.array(list(found.values()))


def main():
    """Three classifiers of the same texts."""
    texts, packages = docstrings()
    train, test, y_train, y_test = train_test_split(texts, packages, stratify=packages, random_state=0)
    ours = DynamicsClassifier(lr=3e-3, batch_size=64, max_epochs=6, snapshots=False, random_state=0)
    for classifier in (LogisticRegression(C=10), LinearSVC(), ours):
        model = make_pipeline(TfidfVectorizer(sublinear_tf=True), classifier).fit(train, y_train)
        print(f"{type(classifier).__name__:18}  accuracy {model.score(test, y_test):.3f}")
    scores = SampleScoreAnalyzer().fit(model)
    last = np.argsort(scores.area_under_margin_)[:3]
    print("\nLearned last:")
    for i in last:
        print(f"  {y_train[i]:15}  {train[i].splitlines()[0]}")


if __name__ == "__main__":
    main()

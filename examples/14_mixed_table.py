"""A mixed table with embeddings
=============================

Numbers are scaled, categories become ids that the network looks up, and both reach its `forward` by name: a
ColumnTransformer, and a step that makes a dict of its columns (of a pandas DataFrame skorch's `DataFrameTransformer`).
The table has a row for each function of scikit-learn; to be told is whether it has a docstring. Printed are the
accuracies of this network and of scikit-learn's: linear, with the categories one-hot, and boosted trees.

    python examples/14_mixed_table.py
"""

import ast
from pathlib import Path

import numpy as np
import sklearn
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from skorch.helper import SliceDict
from torch import nn

from sklearn_nndyn import DynamicsClassifier

rows, documented = [], []
for path in sorted(Path(sklearn.__file__).parent.rglob("[a-z_]*.py")):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and "tests" not in path.parts:
            first, last = node.name.strip("_").split("_")[0], type(node.body[-1]).__name__
            decorator = ast.unparse(node.decorator_list[0]) if node.decorator_list else "none"
            size = np.log1p(node.end_lineno - node.body[min(1, len(node.body) - 1)].lineno)
            numbers = [size, len(node.args.args), node.col_offset, node.name.startswith("_")]
            rows.append([*numbers, path.parent.name, first, decorator, last])
            documented.append(ast.get_docstring(node) is not None)
X, y, NUMBERS, KINDS = np.array(rows, dtype=object), np.array(documented), [0, 1, 2, 3], [4, 5, 6, 7]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


class Embedded(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.embed = nn.ModuleList([nn.Embedding(1000, 8) for _ in KINDS])
        self.layers = nn.Sequential(nn.Linear(36, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, n_classes))

    def forward(self, numbers, kinds):
        embedded = [embed(kinds[:, i]) for i, embed in enumerate(self.embed)]
        return self.layers(torch.cat([numbers, *embedded], 1))


def by_name(X):
    return SliceDict(numbers=X[:, :4].astype("float32"), kinds=X[:, 4:].astype(int) + 1)


clf = DynamicsClassifier(Embedded, lr=3e-3, batch_size=64, max_epochs=10, random_state=0)
codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("kinds", codes, KINDS)])
ours = make_pipeline(columns, FunctionTransformer(by_name), clf)
trees = make_pipeline(columns, HistGradientBoostingClassifier(random_state=0))
onehot = clone(columns).set_params(kinds=OneHotEncoder(handle_unknown="ignore"))
linear = make_pipeline(onehot, LogisticRegression())
for model in (ours, linear, trees):
    print(f"{type(model[-1]).__name__:30}  accuracy {model.fit(X_train, y_train).score(X_test, y_test):.3f}")

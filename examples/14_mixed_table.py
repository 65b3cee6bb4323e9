"""A mixed table with embeddings
=============================

Numbers are scaled, categories become ids that the network looks up, and both reach its `forward` by name: a
ColumnTransformer, and a step that makes a dict of its columns (of a pandas DataFrame skorch's `DataFrameTransformer`).
A row is a function of scikit-learn; to be told is whether it has a docstring. Beside it linear (one-hot) and trees.

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
from torch import nn

from sklearn_nndyn import DynamicsClassifier

rows, documented, NUMBERS, KINDS = [], [], [0, 1, 2, 3], [4, 5, 6, 7]
for path in sorted(Path(sklearn.__file__).parent.rglob("[a-z_]*.py")):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and "tests" not in path.parts:
            first, last = node.name.strip("_").split("_")[0], type(node.body[-1]).__name__
            decorator = ast.unparse(node.decorator_list[0]) if node.decorator_list else "none"
            size = np.log1p(node.end_lineno - node.body[min(1, len(node.body) - 1)].lineno)
            kinds = path.parent.name, first, decorator, last
            rows.append([size, len(node.args.args), node.col_offset, node.name.startswith("_"), *kinds])
            documented.append(ast.get_docstring(node) is not None)
X_train, X_test, y_train, y_test = train_test_split(np.array(rows, dtype=object), documented, random_state=0)


class Embedded(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.embed = nn.ModuleList([nn.Embedding(1000, 8) for _ in KINDS])
        self.layers = nn.Sequential(nn.Linear(36, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, n_classes))

    def forward(self, numbers, kinds):
        embedded = [embed(kinds[:, i]) for i, embed in enumerate(self.embed)]
        return self.layers(torch.cat([numbers, *embedded], 1))


named = FunctionTransformer(lambda X: {"numbers": X[:, :4], "kinds": X[:, 4:].astype(int) + 1})
clf = DynamicsClassifier(Embedded, lr=3e-3, batch_size=64, max_epochs=10, random_state=0)
codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("kinds", codes, KINDS)])
onehot = clone(columns).set_params(kinds=OneHotEncoder(handle_unknown="ignore"))
trees = HistGradientBoostingClassifier(random_state=0)
for steps in (columns, named, clf), (onehot, LogisticRegression()), (columns, trees):
    model = make_pipeline(*steps).fit(X_train, y_train)
    print(f"{type(model[-1]).__name__:30}  accuracy {model.score(X_test, y_test):.3f}")

from sklearn.datasets import load_digits
from xgboost import XGBClassifier

from sklearn_nndyn import Dynamics, LossTailAnalyzer

X, y = load_digits(return_X_y=True)
model = XGBClassifier(n_estimators=20).fit(X[:1300], y[:1300])
record = Dynamics.from_staged(model, X[1300:], y[1300:])
print(LossTailAnalyzer().fit(record).summary())

"""Record any training
===================

The analyzers need to know what each sample was given at each epoch; who trained the network is all one to them. Here
the digits, a tenth of them with wrong labels, are learned in three ways that know nothing of this library, and the
record of each tells which labels are wrong. Printed is the average precision of that ranking.

- Scores that lie in one array, from wherever: `Dynamics.from_scores`.
- Boosting, whose rounds are the epochs: `Dynamics.from_staged`.
- A loop of one's own, in any framework: `DynamicsLog` takes batches in any order and makes the record.

    python examples/10_record_any_training.py
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.neural_network import MLPClassifier

from sklearn_nndyn import Dynamics, DynamicsLog, SampleScoreAnalyzer
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.datasets import corrupt_labels

EPOCHS = 30
X, true = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
y, wrong = corrupt_labels(true, 0.1, random_state=0)

# Arrays: whatever was kept of a training, here the log-probabilities of scikit-learn's own network.
perceptron = MLPClassifier(random_state=0)
kept = [perceptron.partial_fit(X, y, classes=np.unique(y)).predict_log_proba(X) for _ in range(EPOCHS)]
arrays = Dynamics.from_scores(np.stack(kept, axis=1), y, epochs=range(1, EPOCHS + 1))

# Boosting: fitted as ever.
boosted = GradientBoostingClassifier(n_estimators=20, max_features="sqrt", random_state=0).fit(X, y)
rounds = Dynamics.from_staged(boosted, X, y)

# A loop: one line more. The scores are those that training computes anyway, on the way through each epoch.
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
log = DynamicsLog(y)
for epoch in range(1, EPOCHS + 1):
    for ids in torch.randperm(len(y)).split(64):
        scores = network(torch.from_numpy(X)[ids])
        log.add(epoch, ids, scores)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores, torch.from_numpy(y)[ids]).backward()
        optimizer.step()

for name, record in (("arrays", arrays), ("boosting", rounds), ("a loop", log.dynamics())):
    found = average_precision_score(wrong, -find_label_errors(record).scores)
    print(
        f"{name:8}  {record.n_epochs} epochs, accuracy {record.accuracy[-1]:.3f}, wrong labels found {found:.3f}"
    )
print(log)
print(SampleScoreAnalyzer().fit(log.dynamics()).summary())

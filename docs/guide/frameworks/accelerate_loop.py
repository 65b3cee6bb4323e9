import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.recording.integrations import AccelerateRecorder

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)
network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
loader = DataLoader(TensorDataset(X[:1300], y[:1300]), batch_size=64, shuffle=True)

accelerator = Accelerator()
network, optimizer, loader = accelerator.prepare(network, optimizer, loader)
recorder = AccelerateRecorder(accelerator, X[1300:], y[1300:])
for epoch in range(6):
    recorder.evaluate(network, epoch)
    for inputs, labels in loader:
        optimizer.zero_grad()
        accelerator.backward(torch.nn.functional.cross_entropy(network(inputs), labels))
        optimizer.step()
print(LossTailAnalyzer().fit(recorder.dynamics()).summary())

import torch
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.recording.integrations import LightningRecorder

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)


class Digits(LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


recorder = LightningRecorder(X[1300:], y[1300:])
trainer = Trainer(max_epochs=5, callbacks=[recorder], logger=False, enable_checkpointing=False)
trainer.fit(Digits(), DataLoader(TensorDataset(X[:1300], y[:1300]), batch_size=64, shuffle=True))
print(LossTailAnalyzer().fit(recorder.dynamics()).summary())

import torch
from sklearn.datasets import load_digits
from transformers import Trainer, TrainingArguments

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.recording.integrations import TransformersRecorder

X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16).float()
rows = [{"pixels": x, "labels": int(label)} for x, label in zip(X, y, strict=True)]


class Digits(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))

    def forward(self, pixels, labels=None):
        logits = self.layers(pixels)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


recorder = TransformersRecorder(rows[1300:])
arguments = TrainingArguments(
    "output", num_train_epochs=5, learning_rate=0.01, save_strategy="no", report_to=[]
)
Trainer(Digits(), arguments, train_dataset=rows[:1300], callbacks=[recorder]).train()
print(LossTailAnalyzer().fit(recorder.dynamics()).summary())

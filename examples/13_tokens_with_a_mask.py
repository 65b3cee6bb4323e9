"""Tokens with a mask, and a small transformer
===========================================

A dict of arrays goes to the network's `forward` by name: ids of words as whole numbers, and a mask that says which are
padding. The texts are names of Unicode's characters, as Python knows them ("LATIN SMALL LETTER A WITH ACUTE"); to be
told is the category (Ll: a small letter, Sm: a sign of mathematics, ...). The same network trained by a loop in plain
torch is as right; the record adds which names were right and then wrong again, over and over.

    python examples/13_tokens_with_a_mask.py
"""

import unicodedata

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split
from torch import nn

from sklearn_nndyn import DynamicsClassifier, SampleScoreAnalyzer

WORDS, LONGEST, EPOCHS = 500, 10, 6
characters = [c for c in map(chr, range(0x3000)) if unicodedata.name(c, "")][::2]
names, y = np.array([[unicodedata.name(c), unicodedata.category(c)] for c in characters]).T
known, split = CountVectorizer(max_features=WORDS).fit(names).vocabulary_, CountVectorizer().build_analyzer()
found = [[known.get(word, WORDS) + 1 for word in split(name)][:LONGEST] for name in names]
ids = np.array([row + [0] * (LONGEST - len(row)) for row in found])  # 0 is padding
frequent = np.isin(y, [kind for kind in set(y) if (y == kind).sum() >= 50]) & (ids[:, 0] > 0)
train, test = train_test_split(np.flatnonzero(frequent), stratify=y[frequent], random_state=0)


class Transformer(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.embed, self.place = nn.Embedding(WORDS + 2, 32), nn.Parameter(torch.zeros(LONGEST, 32))
        self.attend = nn.TransformerEncoderLayer(32, 2, 64, 0.1, batch_first=True)
        self.last = nn.Linear(32, n_classes)

    def forward(self, ids, mask):
        h = self.attend(self.embed(ids) + self.place, src_key_padding_mask=~mask)
        return self.last((h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


clf = DynamicsClassifier(Transformer, lr=3e-3, batch_size=64, max_epochs=EPOCHS, random_state=0)
clf.fit({"ids": ids[train], "mask": ids[train] > 0}, y[train])
accuracy = clf.score({"ids": ids[test], "mask": ids[test] > 0}, y[test])

torch.manual_seed(0)
network, rows = Transformer(len(clf.classes_)), torch.tensor(ids)
target = torch.tensor(clf.classes_.searchsorted(y))
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
for batch in [b for _ in range(EPOCHS) for b in torch.tensor(train)[torch.randperm(len(train))].split(64)]:
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(rows[batch], rows[batch] > 0), target[batch]).backward()
    optimizer.step()
plain = network.eval()(rows[test], rows[test] > 0).argmax(1) == target[test]
print(f"accuracy {accuracy:.3f}, by a loop in plain torch {plain.float().mean():.3f}")
often = SampleScoreAnalyzer().fit(clf).forgetting_events_.argsort()[::-1][:3]
print("Forgotten most often:", *(f"{names[train[i]]} ({y[train[i]]})" for i in often), sep="\n  ")

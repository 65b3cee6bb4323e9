"""Records of made runs, of any size, and a reader of pages."""

from html.parser import HTMLParser

import numpy as np

from sklearn_nndyn import Dynamics

EMPTY = {"meta", "img", "path", "rect", "circle", "br"}


def made_record(n_samples=60, n_epochs=8, classes=(0, 1, 2), leave_out=(), seed=0, **header):
    """A record of a run in which the losses fall, and those of the last samples rise again."""
    generator = np.random.default_rng(seed)
    classes = np.array(classes)
    target = np.arange(n_samples) % len(classes)
    epochs = np.arange(n_epochs)
    fall = np.exp(-epochs / 3, dtype=np.float32)[None]
    loss = fall * generator.uniform(0.5, 1.5, (n_samples, 1)).astype(np.float32)
    loss[-3:] += np.linspace(0, 3, n_epochs, dtype=np.float32)
    wrong = loss > 0.7
    fields = {
        "loss": loss,
        "margin": np.float32(0.7) - loss,
        "prediction": np.where(wrong, (target[:, None] + 1) % len(classes), target[:, None]).astype(np.int16),
        "scores": _scores(loss, target, len(classes)),
        "centroids": {"linear1": _centroids(n_epochs, len(classes))},
        "reconstruction": {
            "linear1": (1 + np.abs(epochs - n_epochs // 2))
            * generator.uniform(0.9, 1.1, (n_samples, 1)).astype(np.float32)
        },
    }
    kept = {name: value for name, value in fields.items() if name not in leave_out}
    return Dynamics(
        y=classes[target], classes=classes, epochs=epochs, header={"loss": "log", **header}, **kept
    )


def _scores(loss, target, n_classes):
    """Scores of this log loss: one of the true class, 0 of all others."""
    scores = np.zeros((*loss.shape, n_classes), dtype=np.float32)
    scores[np.arange(len(loss)), :, target] = np.log(max(1, n_classes - 1) / np.expm1(np.maximum(loss, 1e-6)))
    return scores


def _centroids(n_epochs, n_classes):
    """Unit vectors, drawn apart until the middle and then together again."""
    apart = 0.9 - 0.5 * np.abs(np.linspace(-1, 1, n_epochs))
    return apart[:, None, None] * np.eye(n_classes)[None]


class Page(HTMLParser):
    """Elements of a page, (tag, attributes, text), and whether every element is closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        element = (tag, dict(attributes), [])
        self.elements.append(element)
        if tag not in EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), []))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, text):
        for _, _, texts in self._open:
            texts.append(text)

    def all(self, tag):
        """(attributes, text) of the elements of one kind."""
        return [
            (attributes, "".join(texts).strip()) for name, attributes, texts in self.elements if name == tag
        ]

    def text(self, key):
        """Text of the element with an id."""
        return next(" ".join("".join(t).split()) for _, a, t in self.elements if a.get("id") == key)

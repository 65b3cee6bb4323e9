"""Networks trained by NumPy alone, slowly, in double precision unless told, with what each sample was given."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests import reference


class Dense:
    """x W' + b, with W of shape (n_out, n_in)."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self.x = x.reshape(len(x), -1)
        return self.x @ self.weight.T + self.bias

    def backward(self, grad):
        self.grads = grad.T @ self.x, grad.sum(axis=0)
        return grad @ self.weight


class Conv:
    """A convolution of stride 2 without padding, with W of shape (n_out, n_in, k, k)."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        k = self.weight.shape[-1]
        self.windows = sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::2, ::2]
        return np.einsum("nchwij,ocij->nohw", self.windows, self.weight) + self.bias[None, :, None, None]

    def backward(self, grad):
        """It is the first layer: nothing is asked of the gradient in its input."""
        self.grads = np.einsum("nohw,nchwij->ocij", grad, self.windows), grad.sum(axis=(0, 2, 3))


class Tanh:
    """tanh x: smooth, so that rounding stays rounding."""

    grads = ()

    def forward(self, x):
        self.value = np.tanh(x)
        return self.value

    def backward(self, grad):
        return grad.reshape(self.value.shape) * (1 - self.value**2)


class Relu:
    """max(0, x): a rounded sign switches a unit, and its gradient with it."""

    grads = ()

    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, grad):
        return grad.reshape(self.on.shape) * self.on


class Twin:
    """A first layer, a nonlinearity, and a linear layer, trained by plain gradient steps.

    Parameters
    ----------
    task : Task
    dtype : dtype, default=float
        The precision of all that is computed.
    """

    def __init__(self, task, dtype=float):
        task = task.in_precision(dtype)
        (first_weight, first_bias), last = task.state
        first = Dense if first_weight.ndim == 2 else Conv
        self.nonlinearity = {"tanh": Tanh, "relu": Relu}[task.activation]()
        self.layers = [first(first_weight, first_bias), self.nonlinearity, Dense(*last)]
        self.X, self.y, self.lr, self.size = task.X, task.y, dtype(task.lr), task.batch_size

    def scores(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def step(self, X, y):
        scores = self.scores(X)
        grad = np.array([reference.softmax(o) for o in scores], scores.dtype)
        grad[np.arange(len(y)), y] -= 1
        grad /= len(y)
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        for layer in self.layers:
            if layer.grads:
                layer.weight -= self.lr * layer.grads[0]
                layer.bias -= self.lr * layer.grads[1]

    def steps(self):
        """Train for an epoch, and yield the batch, a slice, after each step."""
        for start in range(0, len(self.y), self.size):
            batch = slice(start, start + self.size)
            self.step(self.X[batch], self.y[batch])
            yield batch


def twin_record(task, dtype=float):
    """{field: (n_samples, n_epochs)} of a training, as of before it and after each epoch; and the hidden centroids."""
    twin = Twin(task, dtype)
    looks = [look(twin)]
    for _ in range(task.n_epochs):
        list(twin.steps())
        looks.append(look(twin))
    return {name: np.stack([own[name] for own in looks], axis=-1) for name in looks[0]}


def look(twin):
    """One column of the record."""
    scores, y = twin.scores(twin.X).astype(float), twin.y
    hidden = twin.layers[-1].x
    p = np.array([reference.softmax(o)[c] for o, c in zip(scores, y, strict=True)])
    return {
        "loss": -np.log(p),
        "margin": np.array([reference.margin(o, c) for o, c in zip(scores, y, strict=True)]),
        "probability": p,
        "prediction": scores.argmax(axis=1),
        "centroids": reference.centroids(hidden, y, scores.shape[1]),
    }

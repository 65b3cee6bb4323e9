"""A batch of a sparse matrix, made dense or not, in the first layer of a network (100 units).

Evaluation is taking the rows and the product; a step adds the gradient of the weights and Adam's fused update, whose
time does not depend on zeros. Milliseconds of processor time, medians; and how far the two products lie apart. The
classifier makes batches dense, for another order of sums is another result.

    python benchmarks/bench_sparse.py [--repeats 7] [--threads 1]
"""

import time

import numpy as np
import torch
from _interleaved import interleaved, parser_of, print_table
from scipy import sparse

UNITS = 100
BATCHES = (64, 256)
FEATURES = (10_000, 50_000)
SHARES = (0.001, 0.01, 0.05)  # of the entries that are set


class Layer:
    """The first layer of a network, and Adam's averages of its weights."""

    def __init__(self, X):
        self.X = X
        self.weight = torch.randn(UNITS, X.shape[1]) / np.sqrt(X.shape[1])
        self.across = self.weight.T.contiguous()  # as scipy multiplies without a copy
        self.averages = {
            weight.shape: [torch.zeros_like(weight) for _ in range(2)]
            for weight in (self.weight, self.across)
        }
        self.steps = torch.tensor(1.0)
        self.slope = torch.randn(X.shape[0], UNITS)  # of the loss in the layer's outputs

    def dense(self):
        return torch.from_numpy(self.X[:].toarray()) @ self.weight.T

    def sparse(self):
        return torch.from_numpy(self.X[:] @ self.across.numpy())

    def dense_step(self):
        rows = torch.from_numpy(self.X[:].toarray())
        rows @ self.weight.T
        self._update(self.weight, self.slope.T @ rows)

    def sparse_step(self):
        rows = self.X[:]
        rows @ self.across.numpy()
        self._update(self.across, torch.from_numpy(rows.T @ self.slope.numpy()))

    def _update(self, weight, gradient):
        first, second = self.averages[weight.shape]
        torch._fused_adam_(
            [weight],
            [gradient],
            [first],
            [second],
            [],
            [self.steps],
            lr=1e-3,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


def main():
    options = parser_of(__doc__, repeats=7, threads=1).parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    rows = []
    for batch in BATCHES:
        for features in FEATURES:
            for share in SHARES:
                X = sparse.random(batch, features, share, format="csr", dtype=np.float32, random_state=0)
                layer = Layer(X)
                apart = (layer.dense() - layer.sparse()).abs().max().item()
                ways = {
                    name: getattr(layer, name) for name in ("dense", "sparse", "dense_step", "sparse_step")
                }
                dense, thin, step, thin_step = (
                    1e3 * seconds
                    for seconds in interleaved(ways, options.repeats, clock=time.process_time).values()
                )
                figures = [
                    f"{value:.1f}" for value in (dense, thin, dense / thin, step, thin_step, step / thin_step)
                ]
                rows.append([batch, f"{features:,}", f"{100 * share:g} %", *figures, f"{apart:.0e}"])
    print_table(
        [
            "batch",
            "features",
            "set",
            "evaluation: dense",
            "sparse",
            "ratio",
            "step: dense",
            "sparse",
            "ratio",
            "apart",
        ],
        rows,
    )


if __name__ == "__main__":
    main()

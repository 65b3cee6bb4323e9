"""What each of two processes does: train by gloo on its share of the samples, and log them.

python -m tests.recording.integrations.ranks RANK FOLDER [killed]
"""

import os
import signal
import sys

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler

from sklearn_nndyn import DynamicsLog
from tests.recording.integrations.tasks import make_task

RANKS, EPOCHS, BATCH = 2, 4, 64
N_SAMPLES = 1001  # odd: the sampler gives one sample to both


def small_task():
    """The digits, as many as the ranks share."""
    task = make_task("digits", "mlp")
    return task.X[:N_SAMPLES], task.y[:N_SAMPLES], task


def shares(epoch):
    """The samples of each rank in the order of an epoch, (ranks, n); one is in both."""
    samplers = [DistributedSampler(range(N_SAMPLES), RANKS, rank, seed=3) for rank in range(RANKS)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    return np.array([list(sampler) for sampler in samplers])


def batches(rank, epoch):
    """Positions, batch by batch; the last batch is a short one."""
    return np.array_split(shares(epoch)[rank], range(BATCH, shares(epoch).shape[1], BATCH))


def train_rank(rank, folder, killed=False):
    """An ordinary loop; rank 1 may be killed in the middle of epoch 3."""
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=RANKS)
    X, y, task = small_task()
    network = DistributedDataParallel(task.module())
    optimizer = torch.optim.SGD(network.parameters(), lr=task.lr)
    log = DynamicsLog(y)
    try:
        for epoch in range(1, EPOCHS + 1):
            for step, ids in enumerate(batches(rank, epoch)):
                if killed and (rank, epoch, step) == (1, 3, 4):
                    os.kill(os.getpid(), signal.SIGKILL)
                scores = network(torch.from_numpy(X[ids]))
                log.add(epoch, ids, scores)
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(scores, torch.from_numpy(y[ids])).backward()
                optimizer.step()
            log.save(f"{folder}/log.{rank}")
    finally:
        log.save(f"{folder}/log.{rank}")
    distributed.destroy_process_group()


def train_alone():
    """One process that sees the same batches: the gradient of a step is the mean over the ranks' shares of it."""
    X, y, task = small_task()
    network = task.module()
    optimizer, log = torch.optim.SGD(network.parameters(), lr=task.lr), DynamicsLog(y)
    for epoch in range(1, EPOCHS + 1):
        for ids_of_ranks in zip(*(batches(rank, epoch) for rank in range(RANKS)), strict=True):
            optimizer.zero_grad()
            for ids in ids_of_ranks:
                scores = network(torch.from_numpy(X[ids]))
                log.add(epoch, ids, scores)
                loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y[ids]))
                (loss / RANKS).backward()
            optimizer.step()
    return log


if __name__ == "__main__":
    train_rank(int(sys.argv[1]), sys.argv[2], killed="killed" in sys.argv[3:])

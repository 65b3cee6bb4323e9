"""Record a training of many processes
======================================

Where several processes train one network, each sees a part of the samples. Each keeps a log of its own, and writes it
to a file after every epoch; merged by the ids of the samples, the logs are the record of the whole training. Here two
processes train on the digits, with the gradients averaged by torch's `DistributedDataParallel`; a sampler deals the
samples out anew in every epoch, and gives one of them to both, so that both have as many.

- Each process logs its own rows: `log.add(epoch, ids, scores)`.
- Afterwards the logs are merged, and the sample that both have counts once.
- Of a process that was killed the rows since its last file are missing, and the log says which epochs lack any.

    python examples/11_many_processes.py
"""

import os
import subprocess
import sys
import tempfile

import torch
from sklearn.datasets import load_digits
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sklearn_nndyn import DynamicsLog, LossTailAnalyzer
from sklearn_nndyn.analyzers import find_label_errors

EPOCHS, PROCESSES = 5, 2
X, y = load_digits(return_X_y=True)


def train(rank, folder):
    """What each process does: an ordinary loop, with the ids of the samples beside them."""
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=PROCESSES)
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    network = DistributedDataParallel(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    rows = TensorDataset(torch.tensor(X / 16).float(), torch.tensor(y), torch.arange(len(y)))
    sampler = DistributedSampler(rows, PROCESSES, rank, seed=0)
    log = DynamicsLog(y)
    for epoch in range(1, EPOCHS + 1):
        sampler.set_epoch(epoch)
        for inputs, labels, ids in DataLoader(rows, batch_size=100, sampler=sampler):
            scores = network(inputs)
            log.add(epoch, ids, scores)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(scores, labels).backward()
            optimizer.step()
        log.save(f"{folder}/log.{rank}")
    distributed.destroy_process_group()


# As `torchrun --nproc-per-node 2` does, this program starts itself twice, each time with another rank.
if "RANK" in os.environ:
    train(int(os.environ["RANK"]), sys.argv[1])
else:
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen([sys.executable, sys.argv[0], folder], env={**os.environ, "RANK": str(rank)})
            for rank in range(PROCESSES)
        ]
        assert [process.wait() for process in started] == [0] * PROCESSES
        logs = [DynamicsLog.load(f"{folder}/log.{rank}") for rank in range(PROCESSES)]
    print("process 0:", logs[0])

    # The one that was killed: without its log, this is what the other one knows.
    try:
        logs[0].dynamics(missing="raise")
    except ValueError as error:
        print(error)

    # The sample that both have was seen by two networks, some steps apart: the later log counts.
    whole = logs[0].merge(logs[1], overlap="last")
    record = whole.dynamics(missing="raise")
    print("together: ", whole)
    print("accuracy on the way:", record.accuracy.round(3))
    print(LossTailAnalyzer().fit(record).summary())
    print("labels to look at first:", find_label_errors(record).scores.argsort()[:5])

"""A training that a framework spreads over two processes, recorded by the first, and logged by both.

python -m tests.recording.integrations.spread FRAMEWORK FOLDER
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sklearn_nndyn import DynamicsLog
from sklearn_nndyn.recording.integrations import AccelerateRecorder, LightningRecorder
from tests.recording.integrations import trainings
from tests.recording.integrations.tasks import make_task


def spread_task():
    """Whole batches: what two ranks see in a step is what one process sees in a batch."""
    task = make_task("digits", "mlp")
    return replace(task, X=task.X[:1024], y=task.y[:1024])


def rows(task, rank=None):
    """Batches of half the size, with the ids of the samples; of all of them, or every other one for a rank."""
    data = TensorDataset(*trainings.tensors(task), torch.arange(len(task.y)))
    sampler = None if rank is None else DistributedSampler(data, 2, rank, shuffle=False)
    return DataLoader(data, batch_size=task.batch_size // 2, sampler=sampler)


def accelerate(task, folder):
    """The log of the first process is of all samples: accelerate gathers what each batch gave."""
    from accelerate import Accelerator

    accelerator, log, module = Accelerator(cpu=True), DynamicsLog(task.y), task.module()
    module, optimizer, loader = accelerator.prepare(module, trainings.sgd(task, module), rows(task))
    recorder = AccelerateRecorder(accelerator, task.X, task.y)
    recorder.evaluate(module, 0)
    for epoch in range(task.n_epochs):
        for X, y, ids in loader:
            scores = module(X)
            log.add(epoch, *accelerator.gather_for_metrics((ids, scores.detach())))
            optimizer.zero_grad()
            accelerator.backward(torch.nn.functional.cross_entropy(scores, y))
            optimizer.step()
        recorder.evaluate(module, epoch + 1)
    log.save(folder / f"log.{accelerator.process_index}")
    if accelerator.is_main_process:
        recorder.dynamics().save(folder / "record")
    accelerator.end_training()


def lightning(task, folder):
    """Each process logs its own rows."""
    log = DynamicsLog(task.y)

    class Logged(type(trainings.lightning_module(task))):
        def training_step(self, batch, batch_idx):
            X, y, ids = batch
            scores = self(X)
            log.add(self.current_epoch, ids, scores)
            return torch.nn.functional.cross_entropy(scores, y)

        def train_dataloader(self):
            return rows(task, self.global_rank)

        def on_train_epoch_end(self):
            log.save(folder / f"log.{self.global_rank}")

    recorder = LightningRecorder(task.X, task.y)
    trainer = trainings.lightning_trainer(
        task, recorder, strategy="ddp", devices=2, use_distributed_sampler=False
    )
    trainer.fit(Logged())
    if trainer.is_global_zero:
        recorder.dynamics().save(folder / "record")


if __name__ == "__main__":
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    {"accelerate": accelerate, "lightning": lightning}[sys.argv[1]](spread_task(), Path(sys.argv[2]))

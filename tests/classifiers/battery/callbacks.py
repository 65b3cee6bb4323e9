"""skorch's callbacks, and some as people write them: {name: function that makes a list of them}."""

import torch
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    LRScheduler,
    ParamMapper,
    PassthroughScoring,
    PrintLog,
    TrainEndCheckpoint,
    Unfreezer,
)


class Noisy(Callback):
    """Draws from torch's generator and adds noise to the weights at the end of each epoch."""

    def on_epoch_end(self, net, **kwargs):
        with torch.no_grad():
            for parameter in net.module_.parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))


class Averages(Callback):
    """Keeps the mean of the weights, and puts it in their place at the end."""

    def on_train_begin(self, net, **kwargs):
        self.averaged_ = torch.optim.swa_utils.AveragedModel(net.module_)

    def on_epoch_end(self, net, **kwargs):
        self.averaged_.update_parameters(net.module_)


class Watches(Callback):
    """Keeps the gradients of each batch."""

    def on_train_begin(self, net, **kwargs):
        self.norms_ = []

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.norms_.append([float(p.grad.norm()) for _, p in named_parameters if p.grad is not None])


def silent(_):
    """In place of print."""


CALLBACKS = {
    "EpochScoring": lambda folder: [EpochScoring("accuracy", name="accuracy", on_train=True)],
    "BatchScoring": lambda folder: [BatchScoring("accuracy", name="accuracy", on_train=True)],
    "PassthroughScoring": lambda folder: [PassthroughScoring("train_loss", on_train=True)],
    "EarlyStopping": lambda folder: [EarlyStopping("train_loss", patience=1, threshold=1.0)],
    "EarlyStopping, best weights": lambda folder: [
        EarlyStopping("train_loss", patience=1, threshold=1.0, load_best=True)
    ],
    "LRScheduler": lambda folder: [LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1)],
    "LRScheduler by batches": lambda folder: [
        LRScheduler(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=6, step_every="batch")
    ],
    "LRScheduler by a score": lambda folder: [
        LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="train_loss", patience=0)
    ],
    "GradientNormClipping": lambda folder: [GradientNormClipping(0.1)],
    "Freezer": lambda folder: [Freezer("0.*")],
    "Freezer and Unfreezer": lambda folder: [Freezer("0.*"), Unfreezer("0.*", at=2)],
    "Initializer": lambda folder: [Initializer("2.weight", fn=torch.nn.init.normal_)],
    "ParamMapper": lambda folder: [ParamMapper("2.bias", fn=torch.nn.init.zeros_, at=2)],
    "EpochTimer": lambda folder: [("timer", EpochTimer())],
    "PrintLog": lambda folder: [PrintLog(sink=silent)],
    "Checkpoint": lambda folder: [Checkpoint(monitor=None, dirname=folder)],
    "TrainEndCheckpoint": lambda folder: [TrainEndCheckpoint(dirname=folder)],
    "draws and adds noise": lambda folder: [Noisy()],
    "averages weights": lambda folder: [Averages()],
    "watches gradients": lambda folder: [Watches()],
}

"""What was seen of a training: a read-only record, its file, and the one door to what follows."""

from sklearn_nndyn.dynamics._align import align, concatenate_samples
from sklearn_nndyn.dynamics._check import check_dynamics, find_record, unwrap_estimator
from sklearn_nndyn.dynamics._concatenate import concatenate_epochs
from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._loss_facts import LossFacts
from sklearn_nndyn.dynamics._seen import NOT_SEEN, count_unseen, refuse_unpredicted, refuse_unseen
from sklearn_nndyn.dynamics._text import IN_TRAINING
from sklearn_nndyn.dynamics.files._load import load_dynamics
from sklearn_nndyn.dynamics.log._log import DynamicsLog

__all__ = [  # noqa: RUF022 (reading order)
    "Dynamics",
    "load_dynamics",
    "DynamicsLog",
    "concatenate_epochs",
    "concatenate_samples",
    "align",
    "check_dynamics",
    "LossFacts",
    "find_record",
    "unwrap_estimator",
]

"""Print how far the record of each framework is from that of NumPy: ``python -m tests.recording.integrations``.

The same training everywhere: initial weights and batches are equal. A figure is the largest difference in the losses of
all samples at all epochs, against the largest loss, from NumPy in double precision. The others compute in the precision
that heads the column; the first row is NumPy itself in that precision, which is what rounding alone makes.

With tanh that is a few times 1e-7 everywhere. ReLU has a kink: where a sum near zero is rounded to the other side of
it, a unit is switched, passes on another gradient, and the networks differ by 1e-5 to 1e-4 from that step on. When this
happens hangs on the order in which sums are taken, so that it may meet NumPy and Keras and not the others (8.7e-5
beside 3.4e-7 for Fashion-MNIST). In double precision no sum comes so near to zero, and all agree up to the single
precision in which losses are recorded; Keras' matrix products stay in single precision on torch. ``test_precision.py``
holds the steps to this.
"""

import importlib.util
import os
import warnings

from tests.recording.integrations.tasks import make_task
from tests.recording.integrations.trainings import FRAMEWORKS, OWN, worst
from tests.recording.integrations.twin import twin_record

os.environ.setdefault("KERAS_BACKEND", "torch")
TASKS = [
    *((data, network, "tanh") for data in ("digits", "fashion") for network in ("mlp", "conv")),
    ("digits", "conv", "relu"),
    ("fashion", "conv", "relu"),
]


def found_tasks():
    """Those whose images are on this machine; the last one in double precision too."""
    tasks = []
    for names in TASKS:
        try:
            tasks.append(make_task(*names))
        except FileNotFoundError as error:
            print(f"{', '.join(names)} is left out: {error}")
    return [*tasks, tasks[-1].in_precision(float)]


def figures(training, tasks, expected):
    """A row of the table."""
    return [f"{worst(training(task), twin)['loss']:.1e}" for task, twin in zip(tasks, expected, strict=True)]


def main():
    """Train all, and print a table."""
    warnings.simplefilter("ignore")
    tasks = found_tasks()
    twins = [twin_record(task) for task in tasks]
    names = [f"{task.name}, {task.X.dtype}" for task in tasks]
    lines = [f"| trained by | {' | '.join(names)} |", "|---" * (1 + len(tasks)) + "|"]
    for name, training in {"NumPy": numpy_in_its_precision, **OWN, **FRAMEWORKS}.items():
        is_there = name not in FRAMEWORKS or importlib.util.find_spec(name) is not None
        row = figures(training, tasks, twins) if is_there else ["not installed", *[""] * (len(tasks) - 1)]
        lines.append(f"| {name} | {' | '.join(row)} |")
    print("\n".join(lines))  # at the end, for frameworks print too


def numpy_in_its_precision(task):
    """The twin's own record in the precision of the task."""
    return twin_record(task, task.X.dtype.type)


if __name__ == "__main__":
    main()

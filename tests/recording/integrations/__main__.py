"""Print how far the record of each framework is from that of NumPy: ``python -m tests.recording.integrations``.

The same training everywhere: initial weights and batches are equal. A figure is the largest difference in the losses of
all samples at all epochs, against the largest loss.
"""

import importlib.util
import os
import warnings

from tests.recording.integrations.tasks import make_task
from tests.recording.integrations.trainings import FRAMEWORKS, OWN, worst
from tests.recording.integrations.twin import twin_record

os.environ.setdefault("KERAS_BACKEND", "torch")
TASKS = [(data, network) for data in ("digits", "fashion") for network in ("mlp", "conv")]


def main():
    """Train all, and print a table."""
    warnings.simplefilter("ignore")
    tasks = [make_task(*names) for names in TASKS]
    twins = [twin_record(task) for task in tasks]
    print("| trained by | " + " | ".join(task.name for task in tasks) + " |")
    print("|---" * (1 + len(tasks)) + "|")
    for name, training in {**OWN, **FRAMEWORKS}.items():
        if name in FRAMEWORKS and importlib.util.find_spec(name) is None:
            print(f"| {name} | not installed" + " |" * len(tasks))
            continue
        pairs = zip(tasks, twins, strict=True)
        figures = [f"{worst(training(task), twin)['loss']:.1e}" for task, twin in pairs]
        print(f"| {name} | " + " | ".join(figures) + " |", flush=True)


if __name__ == "__main__":
    main()

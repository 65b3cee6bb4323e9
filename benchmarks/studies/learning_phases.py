"""Learning phases: do the claims of Schneider (2022) and of Schneider and Prabhushankar (2024) hold?

How well does a layer give its input back, while the network learns? At iterations 0, 1, 2, 4, ... a fresh ridge decoder
learns on all training images to give the normalised image back from the layer's activations, and is scored on the test
images: R, mean squared error of a pixel. Stochastic gradient descent, batches of 128, momentum 0.9 (none for a single
layer), three seeds each:

* A single linear layer without bias on a CIFAR-10 subset (10,000 images, 2,000 to test), decoded from its ten outputs:
  rate 0.002, 8,192 iterations; initial weights times 0.01; rate 0.0002.
* MLPs with hidden layers of 256 and 128 on 5,000 images of MNIST and of Fashion-MNIST, rate 0.002, 4,096 iterations,
  decoded from the last hidden layer; transfer is a linear probe of that layer on the images of the other set.
* V8, as the authors have it, on the CIFAR-10 subset, rate 0.002, 4,096 iterations, decoded from its 512 features (the
  authors: all 50,000 images, 65,536 iterations, a decoder trained for 20 epochs); transfer is a linear probe on which
  colour dominates an image.
* ResNet-10 with a quarter of the widths on 4,000 images of the subset, 1,024 iterations, likewise.

Asked in addition: R with batch norm in training mode, R by a trained linear decoder (V8, one seed), and what becomes of
the rise where training goes on from the turn without the 5 % of greatest loss, or without as many random ones (MLPs).

The claims, each with the rule by which it is judged here (intervals are 95 %, Student's t over seeds; with three seeds
they are wide):

1. R falls and then rises: R(0) > R(m) and R(end) > R(m), each by more than two standard errors over the seeds
   (`LearningPhaseAnalyzer`). A first phase, near constant, comes before.
2. V8: least R between iterations 64 and 1,024 in every seed; R(end) / R(0) above 1, and above 1.2, interval included.
3. A single layer shows it too; more with small initial weights, less at a small rate.
4. Pre-training for transfer should stop well before the network itself is best: transfer is best at an earlier look
   than own accuracy, in every seed; and stopping there, or at the turn, gives more than training to the end, interval
   included.
5. After the turn the network serves a few: the worst 5 % carry a growing share of the gradient's norm; without them the
   rise is less than without random ones; and the samples learned last lose most (Spearman's correlation between the
   rise of a test image's error and the look from which it is right).

A claim has held in part if it held in some of the settings that can speak of it.

    python benchmarks/studies/learning_phases.py [--quick] [--processes 2] [--keep FOLDER]
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _learning_phases_report import report
from _learning_phases_runs import SEEDS, SETTINGS, run

from sklearn_nndyn import load_dynamics

HERE = Path(__file__).parent


def quick(setting):
    """Small enough to try in a minute."""
    small = replace(setting, iterations=64, n_train=512, n_test=256)
    return replace(small, extras=tuple(e for e in setting.extras if e != "linear"))


def place(folder, setting, seed):
    """Where a run is kept, without its ending."""
    return f"{folder / setting.name.replace(',', '').replace(' ', '_')}_{setting.iterations}_{seed}"


def run_and_keep(folder, setting, seed):
    """Train once, unless that was done before."""
    path = place(folder, setting, seed)
    start = time.perf_counter()
    if not Path(f"{path}.npz").exists():
        records, extras = run(setting, seed)
        for name, record in records.items():
            record.save(f"{path}.{name}.safetensors")
        np.savez(f"{path}.npz", seconds=time.perf_counter() - start, **extras)
    return setting, seed, time.perf_counter() - start


def run_all(folder, settings, processes):
    """Every setting with every seed, the longest first, each in a process and a thread of its own."""
    tasks = [(setting, seed) for setting in reversed(settings) for seed in SEEDS]
    tasks.sort(key=lambda task: task[0].network not in ("v8", "resnet"))
    start = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(run_and_keep, folder, *task) for task in tasks]
        for job in as_completed(jobs):
            setting, seed, seconds = job.result()
            print(
                f"  {time.perf_counter() - start:5.0f} s ({seconds:.0f})  {setting.name}, seed {seed}",
                flush=True,
            )


def load(folder, setting):
    """[(validation record, training record, extras)] of the seeds."""
    runs = []
    for seed in SEEDS:
        path = place(folder, setting, seed)
        records = [load_dynamics(f"{path}.{name}.safetensors") for name in ("validation", "train")]
        with np.load(f"{path}.npz") as extras:
            runs.append((*records, dict(extras)))
    return runs


def main():
    """Run, print the tables, draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few iterations: does it run?")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the runs here, and do not repeat those that are kept")
    options = parser.parse_args()
    settings = [quick(setting) for setting in SETTINGS] if options.quick else SETTINGS
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        folder = Path(options.keep or folder)
        folder.mkdir(parents=True, exist_ok=True)
        run_all(folder, settings, options.processes)
        found = {setting.name: load(folder, setting) for setting in settings}
    report(found, HERE / "figures" if not options.quick else None)
    print(f"\n{time.perf_counter() - start:.0f} s in {options.processes} processes of one torch thread each")


if __name__ == "__main__":
    main()

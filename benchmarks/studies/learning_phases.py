"""Learning phases: do the claims of Schneider (2022) and of Schneider and Prabhushankar (2024) hold?

How well does a layer give its input back, while the network learns? A fresh ridge decoder learns at iterations 0, 1, 2,
4, ... to give the image back from the layer's activations. Asked in addition: R with batch norm in training mode, R by
a trained linear decoder (V8, one seed), and what becomes of the rise where training goes on from the turn without the
5 % of greatest loss, or without as many random ones (MLPs). Data, seeds, exclusions and the rule of each claim stand in
rules/learning_phases.json.

    python benchmarks/studies/learning_phases.py [--quick --out FOLDER] [--networks mlp,...] [--keep FOLDER]
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
from _learning_phases_runs import SETTINGS, run, seeds_of

from sklearn_nndyn import load_dynamics

HERE = Path(__file__).parent


def quick(setting):
    """Small enough to try in a minute."""
    small = replace(setting, iterations=64, n_train=512, n_test=256, seeds=2)
    return replace(small, extras=tuple(e for e in setting.extras if e != "linear"))


def place(folder, setting, seed):
    """Path of a run on the disk, without its ending."""
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
    tasks = [(setting, seed) for setting in reversed(settings) for seed in seeds_of(setting)]
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
    for seed in seeds_of(setting):
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
    parser.add_argument(
        "--networks", default="single,mlp,v8,resnet", help="some of the networks of the rules"
    )
    parser.add_argument("--out", type=Path, default=HERE, help="folder of claims.json, tables and figures")
    options = parser.parse_args()
    if options.quick and options.out == HERE:
        parser.error("--quick needs --out: its figures are not to be kept beside those of the study")
    chosen = [setting for setting in SETTINGS if setting.network in options.networks.split(",")]
    settings = [quick(setting) for setting in chosen] if options.quick else chosen
    (options.out / "figures").mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        folder = Path(options.keep or folder)
        folder.mkdir(parents=True, exist_ok=True)
        run_all(folder, settings, options.processes)
        found = {setting.name: load(folder, setting) for setting in settings}
    report(found, options.out)
    print(f"\n{time.perf_counter() - start:.0f} s in {options.processes} processes of one torch thread each")


if __name__ == "__main__":
    main()

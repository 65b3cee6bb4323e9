"""What an import takes, in fresh processes, by the package whose files are run: torch's own share apart.

Seconds of ``python -X importtime``, which takes about a tenth itself; median of the repeats. What a package imports
counts as that of its own name: pandas and scipy.stats are loaded by scikit-learn.

    python benchmarks/bench_import.py --repeats 5
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import median

from _interleaved import print_table

ROOT = Path(__file__).parents[1]
DOORS = {
    "sklearn_nndyn": "import sklearn_nndyn",
    "DynamicsLog": "from sklearn_nndyn import DynamicsLog",
    "LossTailAnalyzer": "from sklearn_nndyn import LossTailAnalyzer",
    "report": "from sklearn_nndyn import report",
    "DynamicsClassifier": "from sklearn_nndyn import DynamicsClassifier",
    "BatchedGridSearchCV": "from sklearn_nndyn import BatchedGridSearchCV",
    "torch alone": "import torch",
    "sklearn.base alone": "import sklearn.base",
}
SHARES = ("torch", "sklearn", "scipy", "pandas", "sklearn_nndyn")
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    found = {name: [] for name in DOORS}
    for _ in range(repeats):
        for name, statement in DOORS.items():
            found[name].append(seconds_by_package(statement))
    rows = [(name, *summary(counts)) for name, counts in found.items()]
    print_table(("import", "seconds", *SHARES, "others"), rows)


def seconds_by_package(statement):
    """Seconds that the files of each package ran, without those that they import."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    seconds = Counter()
    for microseconds, package in LINE.findall(done.stderr):
        seconds[package] += int(microseconds) / 1e6
    return seconds


def summary(counts):
    """Median of the whole, of each share, and of the rest, in words."""
    shares = [[own[name] for name in SHARES] for own in counts]
    whole = [own.total() for own in counts]
    others = [total - sum(own) for total, own in zip(whole, shares, strict=True)]
    columns = [whole, *zip(*shares, strict=True), others]
    return [f"{median(column):.2f}" for column in columns]


if __name__ == "__main__":
    main()

"""Fuzz for so many seconds a target.

python -m tests.dynamics.fuzzing [--seconds 300] [--seed 0] [--targets Records Places]
"""

import argparse
import tempfile
import warnings
from pathlib import Path

from tests.dynamics.fuzzing.guided import Fuzzer
from tests.dynamics.fuzzing.targets import Places, Records

TARGETS = {"Records": Records, "Places": Places}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=TARGETS)
    arguments = parser.parse_args()
    warnings.simplefilter("error")  # none of them is documented
    for kind in map(TARGETS.get, arguments.targets):
        with tempfile.TemporaryDirectory() as folder:
            print(Fuzzer(kind(Path(folder)), arguments.seed).run(seconds=arguments.seconds), flush=True)

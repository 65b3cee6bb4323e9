"""Fuzz for so many seconds a target.

python -m tests.fuzzing [--seconds 300] [--seed 0]
"""

import argparse
import tempfile
from pathlib import Path

from tests.fuzzing.guided import Fuzzer
from tests.fuzzing.targets import Places, Records

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for kind in (Records, Places):
        with tempfile.TemporaryDirectory() as folder:
            print(Fuzzer(kind(Path(folder)), arguments.seed).run(seconds=arguments.seconds), flush=True)

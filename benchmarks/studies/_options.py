"""What the studies take on the command line, and one way to judge a difference."""

import argparse
from pathlib import Path

from _tables import interval

HERE = Path(__file__).parent


def options(doc, choices=(), *, choice="data", threads=1, keep=False):
    """Threads, which data or parts, where to keep and to write, and whether it is to be small."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=threads)
    if choices:
        parser.add_argument(f"--{choice}", default=",".join(choices), help="some of those of the rules")
    if keep:
        parser.add_argument("--keep", type=Path, help="keep results here; do not measure again what is kept")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of claims.json, tables and figures")
    parser.add_argument("--quick", action="store_true", help="small, two seeds: whether it runs; needs --out")
    chosen = parser.parse_args()
    if chosen.quick and chosen.out == HERE:
        parser.error("--quick needs --out: its figures are not to be kept beside those of the study")
    chosen.out.mkdir(parents=True, exist_ok=True)
    return chosen


def sign(values):
    """held where the whole interval lies above 0, did not hold where it lies below, else not decided."""
    mean, half = interval(values)
    return "held" if mean - half > 0 else "did not hold" if mean + half < 0 else "not decided"


def in_all_decided(verdicts):
    """What several settings say together, where some are not decided."""
    if len(set(verdicts)) == 1:
        return verdicts[0]
    return "held in part" if "held" in verdicts else "did not hold"

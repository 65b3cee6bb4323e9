"""The battery as a table: ``python -m tests.classifiers.battery``."""

import sys
import tempfile
import time
import warnings

import torch

from tests.classifiers.battery.cases import NAMES, make_case
from tests.classifiers.battery.laws import LAWS
from tests.classifiers.battery.reasons import EXCEPTIONS


def outcome(case, law):
    """ "ok", "-" where the law does not hold for a reason, or what is wrong."""
    if (case.name, law) in EXCEPTIONS:
        return "-"
    try:
        return LAWS[law](case) or "ok"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    begun, wrong = time.perf_counter(), 0
    print(f"{'':40}" + "".join(f"{law:24}" for law in LAWS), flush=True)
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            found = [outcome(make_case(name, folder), law) for law in LAWS]
        wrong += sum(one not in ("ok", "-") for one in found)
        print(f"{name:40}" + "".join(f"{one:24}" for one in found), flush=True)
    print(f"{len(NAMES)} cases, {len(LAWS)} laws, {wrong} broken, {time.perf_counter() - begun:.0f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main()))

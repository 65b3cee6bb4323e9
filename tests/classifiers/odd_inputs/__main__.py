"""What becomes of every odd input, as a table: ``python -m tests.classifiers.odd_inputs``."""

import sys
import warnings

from tests.classifiers.odd_inputs.cases import difference
from tests.classifiers.odd_inputs.tables import TABLES


def outcome(case):
    """What becomes of it, and whether that is what should."""
    try:
        found = difference(case)
    except Exception as error:
        told = str(error).splitlines()[0]
        return f"{type(error).__name__}: {told}"[:150], case.told is not None and case.told in str(error)
    return found or "right", found is None and case.told is None


def main():
    warnings.simplefilter("ignore")
    counts = {"right": 0, "refused": 0, "wrong": 0}
    for table, cases in TABLES.items():
        for name, case in cases.items():
            text, is_good = outcome(case)
            counts["wrong" if not is_good else "right" if case.told is None else "refused"] += 1
            print(f"{table:16}{name:36}{'' if is_good else 'WRONG: '}{text}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return counts["wrong"]


if __name__ == "__main__":
    sys.exit(bool(main()))

"""Commands: ``python -m sklearn_nndyn report run.safetensors -o report.html``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sklearn_nndyn import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command-line arguments; by default those of the process.

    Returns
    -------
    code : int
        0, or 1 where a file cannot be read or written, with a line that says why.
    """
    wanted = _parser().parse_args(arguments)
    try:
        _write_report(wanted)
    except (OSError, ValueError, ImportError) as error:
        print(f"sklearn_nndyn report: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m sklearn_nndyn")
    parser.add_argument("--version", action="version", version=f"sklearn_nndyn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    report = commands.add_parser(
        "report",
        help="one HTML page of a record in a file",
        description="Write one HTML page of a record in a file.",
    )
    report.add_argument("record", type=Path, help="file written by Dynamics.save")
    report.add_argument("--validation", type=Path, help="file of the record of held-out samples")
    report.add_argument(
        "-o", "--output", type=Path, help="file to write; by default the record's, ending in .html"
    )
    report.add_argument("--title", help="title of the page")
    return parser


def _write_report(wanted):
    from sklearn_nndyn import load_dynamics, report

    record = load_dynamics(wanted.record)
    validation = None if wanted.validation is None else load_dynamics(wanted.validation)
    output = wanted.record.with_suffix(".html") if wanted.output is None else wanted.output
    page = report(record, validation=validation, title=wanted.title)
    page.save(output)
    print(f"{output}: {page!r}")


if __name__ == "__main__":
    sys.exit(main())

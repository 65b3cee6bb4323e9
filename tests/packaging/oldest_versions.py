"""The oldest versions allowed, as a file of constraints: ``python -m tests.packaging.oldest_versions > oldest.txt``."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXTRAS = ("dask", "frames", "reports")  # what a user may install
# The newest of these want a newer NumPy, or warn of what matplotlib calls; other tools of the tests come as they are.
TABLES = ("polars", "pyarrow")
PARTNERS = {"pyparsing": "3.1"}


def lower_bounds(requirements: Iterable[str]) -> dict[str, str]:
    """{name: version} of requirements such as ``numpy>=1.26``.

    Raises
    ------
    ValueError
        For a requirement without a lower bound.
    """
    found = {}
    for requirement in requirements:
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if match is None:
            raise ValueError(
                f"{requirement!r} in pyproject.toml has no lower bound of the form name>=version."
            )
        found[match[1]] = match[2]
    return found


def oldest() -> dict[str, str]:
    """The lower bounds of all that the package needs, of what it can make use of, and of tables in the tests."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = [one for name in EXTRAS for one in project["optional-dependencies"][name]]
    tested = lower_bounds(project["optional-dependencies"]["test"])
    tables = {name: tested[name] for name in TABLES}
    return lower_bounds([*project["dependencies"], *extras]) | tables | PARTNERS


if __name__ == "__main__":
    print("\n".join(f"{name}=={version}" for name, version in oldest().items()))

"""The figures of speed that the README quotes, from the tables beside: ``python benchmarks/readme_figures.py``."""

import re
from pathlib import Path

TABLES = Path(__file__).parent / "README.md"


def row(text: str, first: str, column: str) -> float:
    """The number in a column of the row that begins with ``first``, in the first table that has both."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
        found = [cells for cells in rows if cells[0] == first]
        if found and column in head:
            return float(found[0][head.index(column)])
    raise ValueError(f"No table of {TABLES.name} has a row {first!r} and a column {column!r}.")


def training(text: str) -> str:
    """The time of an epoch, over that of a loop by hand."""
    ratios = [row(text, size, "ours / bare") for size in "ABC"]
    return (
        f"training takes {min(ratios):.2f} to {max(ratios):.2f} of the time of a torch loop written by hand"
    )


def reconstruction(text: str) -> str:
    """What giving the inputs back costs."""
    return f"takes {row(text, 'cross-fitted', 'once, s'):.1f} seconds each time"


def search(text: str) -> str:
    """A search, ours and others'."""
    ours, same, mlp, skorch = (
        row(text, name, "seconds")
        for name in (
            "BatchedGridSearchCV, n_jobs=2",
            "GridSearchCV, DynamicsClassifier",
            "GridSearchCV, MLPClassifier",
            "GridSearchCV, skorch",
        )
    )
    return (
        f"takes {ours:.1f} seconds on two cores, where `GridSearchCV` takes {same:.1f} with the same classifier, "
        f"{mlp:.1f} with `MLPClassifier` and {skorch:.0f} with plain skorch"
    )


def phrases(text: str) -> list[str]:
    """What the README has to say word for word, but for where its lines break."""
    return [training(text), reconstruction(text), search(text)]


if __name__ == "__main__":
    print("\n".join(phrases(TABLES.read_text(encoding="utf-8"))))

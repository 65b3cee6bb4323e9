"""The figures of speed that the README quotes, from the tables in README.md beside, so that they cannot disagree.

``python benchmarks/readme_figures.py`` prints them, ``--write`` puts them into the README of the project.
"""

import csv
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

TABLES = Path(__file__).parent / "README.md"
README = Path(__file__).parents[1] / "README.md"
HISTORY = Path(__file__).parent / "history.csv"
BEGIN, END = "<!-- made by bench_peers.py --write -->\n", "<!-- end of what it makes -->\n"
COLUMNS = ("date", "commit", "conditions", "problem", "figure", "median", "least", "greatest")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def row(text: str, first: str, column: str) -> float:
    """The first number in a column of the row that begins with ``first``, in the first table that has both."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
        found = [cells for cells in rows if cells[0] == first]
        if found and column in head:
            return float(found[0][head.index(column)].split()[0])
    raise ValueError(f"No table of {TABLES.name} has a row {first!r} and a column {column!r}.")


def training(text: str) -> str:
    """The time of an epoch, over that of a loop by hand."""
    ratios = [row(text, size, "ours / bare") for size in "ABC"]
    return (
        f"training takes {min(ratios):.2f} to {max(ratios):.2f} of the time of a torch loop written by hand"
    )


def convolutions(text: str) -> str:
    """The same for a small convolution net."""
    return f"for a convolution net {row(text, 'Conv2', 'ours / bare'):.2f}"


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
    beside_others = [convolutions(text)] if "| Conv2 | " in text else []
    return [training(text), *beside_others, reconstruction(text), search(text)]


def with_figures(readme: str, tables: str) -> str:
    """The README with the figures of the tables in place of those that it had."""
    for phrase in phrases(tables):
        numbers = iter(NUMBER.findall(phrase))
        old = NUMBER.sub("(NUMBER)", phrase)
        pattern = re.escape(old).replace(r"\ ", r"\s+").replace(r"\(NUMBER\)", NUMBER.pattern)
        readme, n = re.subn(
            pattern, lambda match, new=numbers: NUMBER.sub(lambda _: next(new), match[0]), readme
        )
        if n != 1:
            raise ValueError(f"The README says {n} times {old!r}, with numbers for (NUMBER).")
    return readme


def write_readme() -> None:
    """Put the figures of the tables into the README."""
    README.write_text(with_figures(README.read_text("utf-8"), TABLES.read_text("utf-8")), "utf-8")


def write(conditions: str, rows: list[dict[str, str]]) -> None:
    """Put a table of `bench_peers.py` into README.md beside, into the history, and its figures into the README."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(row.values() for row in rows)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    before, _, rest = TABLES.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    text = f"{before}{BEGIN}{conditions}\n\n{table}{END}{after}"
    TABLES.write_text(text, "utf-8")
    remember(conditions, rows)
    write_readme()


def remember(conditions: str, rows: list[dict[str, str]]) -> None:
    """Append the figures to the history: a line for each problem and column."""
    is_new = not HISTORY.exists()
    with HISTORY.open("a", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        if is_new:
            lines.writerow(COLUMNS)
        for own in rows:
            for column, cell in list(own.items())[1:]:
                if cell:
                    figures = [*NUMBER.findall(cell), "", ""][:3]
                    lines.writerow([date.today(), commit(), conditions, own["problem"], column, *figures])


def commit() -> str:
    """The commit of this tree, marked where files differ from it."""
    git = ["git", "-C", TABLES.parent, "describe", "--always", "--dirty"]
    return subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    print("\n".join(phrases(TABLES.read_text(encoding="utf-8"))))
    if "--write" in sys.argv:
        write_readme()

"""What a page is made of. A section holds blocks; the template has a macro for each ``kind`` of them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn_nndyn.reports._charts import Chart


@dataclass(frozen=True, kw_only=True, eq=False)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    words: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Note:
    """What a record does not allow, and what would."""

    kind: ClassVar[str] = "note"
    words: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """What a table shows, and the number it is sorted by; None for words."""

    words: str
    value: float | None = None
    picture: str = ""
    verdict: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of cells. ``copies`` is the column whose words can be copied; ``folded`` hides it behind its caption."""

    kind: ClassVar[str] = "table"
    key: str
    caption: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    sortable: bool = False
    copies: int | None = None
    folded: bool = False

    @property
    def numeric(self):
        """Whether each column holds numbers."""
        return [any(row[at].value is not None for row in self.rows) for at in range(len(self.columns))]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A chart with its title, the words that stand for it, and a table with its figures."""

    kind: ClassVar[str] = "figure"
    key: str
    chart: Chart
    title: str
    caption: str
    alternative: str
    table: Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Code:
    """Lines to run or to copy, and what they are."""

    kind: ClassVar[str] = "code"
    name: str
    lines: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """Words and what they mean; ``tiles`` draws them large, side by side."""

    kind: ClassVar[str] = "terms"
    pairs: list[tuple[str, str]]
    tiles: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """A heading, its anchor, and the blocks under it."""

    key: str
    title: str
    blocks: list[Any]

"""What the readers of tables hand over: cells, records of cells, and lines that are neither."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

Cell = str | int | float | bool | None
"""What a row holds once it is read. Moments are ISO 8601 text, so that a row is plain JSON."""

Cells = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Record:
    """Cells in order, and the line or row of the file on which they begin."""

    line: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Named:
    """Cells with their names, where the format itself names them."""

    line: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no row. The reason holds none of its words."""

    line: int
    text: str
    reason: str


_LONGEST_NUMBER = 40
_NUMBER = {
    ".": re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?"),
    ",": re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"),
}


def to_cell(value: object) -> Cell:
    """A typed value of Excel, Parquet or JSON as a cell."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def as_text(cell: Cell) -> str:
    """What a person would read in the cell; empty for none. 3.0 reads 3."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return ""
        return str(int(cell)) if cell.is_integer() else str(cell)
    return str(cell).strip()


def as_number(cell: Cell, decimal: Literal[".", ","]) -> float | None:
    """The number in the cell, or None.

    Text is read strictly: where decimals have commas, "3.5" is no number rather than 35.
    """
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, str):
        text = re.sub(r"[\s\u00a0\u202f]", "", cell)
        if len(text) > _LONGEST_NUMBER or not _NUMBER[decimal].fullmatch(text):
            return None
        thousands = "," if decimal == "." else "."
        cell = float(text.replace(thousands, "").replace(decimal, "."))
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None

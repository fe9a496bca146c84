"""The header of a table: where it stands, and what its columns are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sources.cells import Broken, Record, as_text
from voc.errors import SourceFormatError
from voc.text import normalise

_LONGEST_NAME = 40
_WITHIN = 20
"""Rows in which to look for it: reports have titles and empty rows above the table."""


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, what was broken above them, and the rows below."""

    columns: Sequence[str]
    broken: Sequence[Broken]
    rows: Iterable[Record | Broken]


def find_header(
    records: Iterator[Record | Broken], wanted: Sequence[str], label: str, *, fewest: int
) -> Header:
    """The first row that has all *wanted* columns.

    Without any wanted, the first with *fewest* filled cells, or else the first that is not empty.
    Reads no further than the header, so that the caller can act before the rows are read.

    Raises:
        SourceFormatError: No row among the first has the wanted columns.
    """
    above: list[Record | Broken] = []
    for record in records:
        if isinstance(record, Record):
            names = column_names(record)
            if set(wanted) <= set(names) if wanted else _filled(record) >= fewest:
                return Header(names, _broken(above), records)
        above.append(record)
        if len(above) == _WITHIN:
            break
    at = next((i for i, r in enumerate(above) if isinstance(r, Record) and _filled(r)), None)
    if at is None:
        require_columns(wanted, [], label)
        return Header([], _broken(above), records)
    first = above[at]
    names = column_names(first) if isinstance(first, Record) else []
    require_columns(wanted, names, label)
    return Header(names, _broken(above[:at]), chain(above[at + 1 :], records))


def column_names(record: Record) -> list[str]:
    """The cells as names: never empty, never twice the same, or one would hide the other."""
    names: list[str] = []
    for i, cell in enumerate(record.cells, 1):
        name = normalise(as_text(cell)) or f"column {i}"
        while name in names:
            name = f"{name} ({i})"
        names.append(name)
    while names and not as_text(record.cells[len(names) - 1]):
        names.pop()
    return names


def require_columns(wanted: Iterable[str], columns: Sequence[str], label: str) -> None:
    """Raise `SourceFormatError` if a wanted column is not there."""
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise SourceFormatError(
            label,
            f"there is no column {', '.join(map(repr, missing))}; it has: {_listed(columns)}. "
            "Correct the columns of this source, or the header of the file",
        )


def _listed(columns: Sequence[str]) -> str:
    """The names, but not what may be a customer's words: a file without header begins with them."""
    names = [name for name in columns if len(name) <= _LONGEST_NAME and "@" not in name]
    others = len(columns) - len(names)
    return (", ".join(names) or "none") + (f" and {others} more" if others else "")


def _filled(record: Record) -> int:
    return sum(bool(as_text(cell)) for cell in record.cells)


def _broken(records: Iterable[Record | Broken]) -> list[Broken]:
    return [record for record in records if isinstance(record, Broken)]

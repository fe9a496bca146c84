"""Tables in files: rows with the names of their columns, whatever the format.

Nothing is dropped: what is no row of the table comes out as `Rejected`, with its place.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from sources.base import Rejected
from sources.cells import Broken, Cells, Named, Record, as_text
from sources.delimited import Records, trimmed
from sources.encodings import detect_encoding
from sources.header import find_header, require_columns
from sources.jsonlines import read_json_lines
from sources.parquet import parquet_columns, read_parquet
from sources.workbook import read_workbook
from voc.errors import SourceFormatError

Format = Literal["auto", "csv", "excel", "jsonl", "parquet"]

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_FIRST_LINES = 500
"""Lines of JSON in one of which every wanted column must stand: objects leave out what is empty."""


_DAMAGED = (EOFError, LookupError, RuntimeError, TypeError, ValueError, zlib.error)
"""What the libraries for workbooks and Parquet raise on files with a few wrong bytes, beside what
they say they do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, and its cells by the name of their column."""

    place: str
    cells: Cells

    def text(self, column: str) -> str:
        """The cell as text; empty if there is none."""
        return as_text(self.cells.get(column))


def read_table(
    path: Path,
    *,
    format: Format = "auto",
    encoding: str = "auto",
    delimiter: str = "auto",
    sheet: str | None = None,
    wanted: Sequence[str] = (),
    label: str | None = None,
) -> Iterator[Row | Rejected]:
    """Every row of the file. An empty file has none; a row of empty cells is a row.

    Args:
        wanted: Columns that must be there. With them, the header may stand below a title.
        label: What to call the file in places and errors; its name if not given.

    Raises:
        SourceFormatError: It is no such file, or a wanted column is missing.
    """
    label = label or path.name
    kind = format_of(path, format)
    if kind is None:
        known = ", ".join(_BY_SUFFIX)
        raise SourceFormatError(label, f"the file's name must end in one of {known}")
    if path.stat().st_size == 0:
        return
    if kind == "excel":
        rows = _below_header(read_workbook(path, sheet, label), wanted, label)
        yield from _undamaged(rows, label)
    elif kind == "parquet":
        yield from _undamaged(_parquet_rows(path, wanted, label), label)
    else:
        encoding = detect_encoding(path) if encoding == "auto" else encoding
        if kind == "jsonl":
            lines = _checked(read_json_lines(path, encoding), wanted, label)
            yield from _named_rows(lines, label, "line")
        else:
            yield from _csv_rows(
                Records(path, encoding=encoding, delimiter=delimiter), wanted, label
            )


def format_of(path: Path, format: Format = "auto") -> Format | None:
    """The format that was said, or the one that the file's name ends in."""
    return _BY_SUFFIX.get(path.suffix.lower()) if format == "auto" else format


def _undamaged(rows: Iterator[Row | Rejected], label: str) -> Iterator[Row | Rejected]:
    """The rows; a file that its library stumbles over is our one kind of error."""
    try:
        yield from rows
    except _DAMAGED:
        reason = "the file is damaged; save it again from the program that made it"
        raise SourceFormatError(label, reason) from None


def _parquet_rows(path: Path, wanted: Sequence[str], label: str) -> Iterator[Row | Rejected]:
    require_columns(wanted, parquet_columns(path, label), label)
    yield from _named_rows(read_parquet(path, label), label, "row")


def _csv_rows(records: Records, wanted: Sequence[str], label: str) -> Iterator[Row | Rejected]:
    """Rows must have the header's width; a blank line is a row only where there is one column."""
    header = find_header(iter(records), wanted, label, fewest=1)
    records.width = len(header.columns)
    for record in chain(header.broken, header.rows):
        if isinstance(record, Broken):
            yield _rejected(label, "line", record)
        elif record.cells or len(header.columns) == 1:
            yield _row(record, header.columns, label, "line", pad=len(header.columns) == 1)


def _below_header(
    records: Iterator[Record], wanted: Sequence[str], label: str
) -> Iterator[Row | Rejected]:
    """Excel rows end at their last filled cell, so short ones are padded."""
    header = find_header(records, wanted, label, fewest=2)
    for record in header.rows:
        if isinstance(record, Record):
            yield _row(record, header.columns, label, "row", pad=True)


def _row(
    record: Record, columns: Sequence[str], label: str, unit: str, *, pad: bool
) -> Row | Rejected:
    cells = trimmed(record.cells, len(columns))
    if pad:
        cells = [*cells, *[None] * (len(columns) - len(cells))]
    place = f"{label} {unit} {record.line}"
    if len(cells) == len(columns):
        return Row(place, dict(zip(columns, cells, strict=True)))
    how = "too few" if len(cells) < len(columns) else "too many"
    reason = (
        f"{how} cells: {len(cells)} where the header has {len(columns)}; "
        "put cells that hold the delimiter into quotes, and check that the file is whole"
    )
    return Rejected(place=place, reason=reason, raw=json.dumps(cells, default=str))


def _named_rows(found: Iterable[Named | Broken], label: str, unit: str) -> Iterator[Row | Rejected]:
    for each in found:
        if isinstance(each, Broken):
            yield _rejected(label, unit, each)
        else:
            yield Row(f"{label} {unit} {each.line}", each.cells)


def _checked(
    lines: Iterator[Named | Broken], wanted: Sequence[str], label: str
) -> Iterator[Named | Broken]:
    """The same lines, once every wanted column was seen in one of the first of them."""
    head: list[Named | Broken] = []
    seen: dict[str, None] = {}
    missing = set(wanted)
    for line in lines:
        head.append(line)
        if isinstance(line, Named):
            seen.update(dict.fromkeys(line.cells))
            missing.difference_update(line.cells)
        if not missing or len(head) == _FIRST_LINES:
            break
    if seen:
        require_columns(wanted, list(seen), label)
    return chain(head, lines)


def _rejected(label: str, unit: str, broken: Broken) -> Rejected:
    return Rejected(place=f"{label} {unit} {broken.line}", reason=broken.reason, raw=broken.text)

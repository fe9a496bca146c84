"""Excel workbooks, one sheet, a row at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from sources.cells import Cell, Record, as_text, to_cell
from voc.errors import SourceFormatError

_MAX_UNPACKED = 1_000_000_000
_MAX_RATIO = 200
_MAX_MEMBERS = 10_000


def read_workbook(path: Path, sheet: str | None, label: str) -> Iterator[Record]:
    """Every row down to the last that is not empty. Formulas give the value Excel last saw.

    Raises:
        SourceFormatError: It is no .xlsx workbook, it has no such sheet, or it unpacks to more
            than anybody's feedback.
    """
    _refuse_bomb(path, label)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError) as exc:
        raise SourceFormatError(label, "the workbook is broken; save it again as .xlsx") from exc
    try:
        if sheet is not None and sheet not in book.sheetnames:
            names = ", ".join(book.sheetnames)
            raise SourceFormatError(label, f"there is no sheet {sheet!r}; it has: {names}")
        cells = book[sheet] if sheet is not None else book.worksheets[0]
        cells.reset_dimensions()  # some writers state a size that is too small
        yield from _rows(cells.iter_rows(values_only=True))
    except (KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as exc:
        raise SourceFormatError(label, "the sheet is broken; save it again as .xlsx") from exc
    finally:
        book.close()


def _rows(found: Iterator[Sequence[object]]) -> Iterator[Record]:
    """Empty rows count only if something stands below them: sheets are formatted far down."""
    empty: list[int] = []
    for number, values in enumerate(found, 1):
        cells: list[Cell] = [to_cell(value) for value in values]
        if any(as_text(cell) for cell in cells):
            yield from (Record(line, []) for line in empty)
            empty.clear()
            yield Record(number, cells)
        else:
            empty.append(number)


def _refuse_bomb(path: Path, label: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as exc:
        raise SourceFormatError(
            label, "it is no .xlsx workbook (old .xls, or protected?); save it again as .xlsx"
        ) from exc
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_MAX_RATIO * path.stat().st_size, 10_000_000) or unpacked > _MAX_UNPACKED:
        raise SourceFormatError(label, "it unpacks to far more than it holds; it was not opened")
    if len(members) > _MAX_MEMBERS:
        raise SourceFormatError(label, "it holds too many files; it was not opened")

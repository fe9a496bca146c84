"""CSV as it comes: any delimiter, quotes left open, rows too short or too long.

Errs towards refusing a line with its number; never towards fewer rows than the file has.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from sources.cells import Broken, Cell, Record, as_text

DELIMITERS = ";,\t|"
MAX_RECORD = 1_000_000
"""Characters of one record. An open quote would otherwise take the rest of the file with it."""

_SAMPLE_RECORDS = 200
_TWO, _MOST = 2, 0.8
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)

# The module's own limit, 131,072, is process-wide and turns one long cell into the end of the
# file. Ours is in `_Lines`.
csv.field_size_limit(2 * MAX_RECORD)

_OPEN_QUOTE = 'a quote is not closed, or stands inside of a quoted cell; write it there as ""'
_TOO_LONG = f"the line is longer than {MAX_RECORD:,} characters; shorten or split it"
_NO_DELIMITER = "\x1f"


class Records:
    """Every record of a file, in order.

    Whoever finds the header sets `width`: from then on, a record that spans several lines and has
    another width is taken for a quote that was left open, and its lines are read one by one.
    """

    def __init__(self, path: Path, *, encoding: str, delimiter: str = "auto") -> None:
        self.width: int | None = None
        self._path, self._encoding = path, encoding
        self._delimiter, self._skip = _how_delimited(path, encoding, delimiter)

    def __iter__(self) -> Iterator[Record | Broken]:
        with self._path.open(encoding=self._encoding, errors="replace") as file:
            lines = _Lines(file, self._skip)
            while record := lines.next_record(self._delimiter, self.width):
                yield record


class _Lines:
    """The lines of a file, which can be handed back. Universal newlines: a lone CR ends a line."""

    def __init__(self, file: Iterator[str], skip: int) -> None:
        self._file = file
        self._back: deque[str] = deque()
        self._line = 1 + sum(1 for _ in islice(file, skip))

    def next_record(self, delimiter: str, width: int | None) -> Record | Broken | None:
        taken: list[str] = []
        reader = csv.reader(
            self._take(taken), delimiter=delimiter, strict=True, skipinitialspace=True
        )
        try:
            cells = next(reader)
        except StopIteration:
            return None
        except csv.Error:
            return self._give_up(taken)
        if len(taken) > 1 and width is not None and len(trimmed(cells, width)) != width:
            return self._give_up(taken)
        start = self._line
        self._line += len(taken)
        return Record(start, cells)

    def _take(self, taken: list[str]) -> Iterator[str]:
        size = 0
        while size <= MAX_RECORD:
            line = self._back.popleft() if self._back else next(self._file, None)
            if line is None:
                return
            taken.append(line)
            size += len(line)
            yield line

    def _give_up(self, taken: list[str]) -> Broken:
        """Refuse the first line only: what an open quote swallowed are rows of their own."""
        self._back.extendleft(reversed(taken[1:]))
        line, self._line = self._line, self._line + 1
        too_long = len(taken[0]) > MAX_RECORD
        return Broken(line, taken[0].rstrip("\n"), _TOO_LONG if too_long else _OPEN_QUOTE)


def trimmed(cells: Sequence[Cell], width: int) -> Sequence[Cell]:
    """*cells* without empty ones beyond *width*: a delimiter at the end of a line is no cell."""
    end = len(cells)
    while end > width and as_text(cells[end - 1]) == "":
        end -= 1
    return cells[:end]


def _how_delimited(path: Path, encoding: str, delimiter: str) -> tuple[str, int]:
    """The delimiter, and how many lines to skip: Excel writes ``sep=;`` above the header."""
    with path.open(encoding=encoding, errors="replace") as file:
        head = [line[:MAX_RECORD] for line in islice(file, 2 * _SAMPLE_RECORDS)]
    if head and (told := _SEP_LINE.fullmatch(head[0])):
        return (told[1] if delimiter == "auto" else delimiter), 1
    return (sniff_delimiter(head) if delimiter == "auto" else delimiter), 0


def sniff_delimiter(lines: list[str]) -> str:
    """The delimiter that gives the most rows the width of the first.

    The first row decides, because commas stand in what customers write and rarely in the names
    of columns. A table of one column gets one that never occurs.
    """
    regularity = {each: _regularity(lines, each) for each in DELIMITERS}
    best = max(DELIMITERS, key=lambda each: regularity[each])
    return best if regularity[best] > 0 else _NO_DELIMITER


def _regularity(lines: list[str], delimiter: str) -> float:
    widths: list[int] = []
    source = _Lines(iter(lines), 0)
    while len(widths) < _SAMPLE_RECORDS and (record := source.next_record(delimiter, None)):
        if isinstance(record, Record) and any(record.cells):
            widths.append(len(record.cells))
    if not widths or widths[0] == 1:
        return 0.0
    wide_enough = sum(width >= widths[0] for width in widths) / len(widths)
    # Two columns come about by chance: one comma in a question, and one in some answers.
    if widths[0] == _TWO and wide_enough < _MOST:
        return 0.0
    return widths.count(widths[0]) / len(widths)

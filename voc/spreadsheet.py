"""Text in cells that a spreadsheet opens: it must stay text."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

_RUN = ("=", "+", "-", "@")
_END_A_CELL = ("\t", "\r")


def harmless(value: object) -> object:
    """Text that a spreadsheet would run, prefixed by ' so that it is text.

    What it begins with is what can be seen first; full-width signs count as the plain ones.
    """
    if not isinstance(value, str):
        return value
    first = next((c for c in value if c.strip() and unicodedata.category(c)[0] != "C"), "")
    is_run = unicodedata.normalize("NFKC", first) in _RUN
    return f"'{value}" if is_run or value.startswith(_END_A_CELL) else value


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV, every cell harmless; None is an empty cell."""
    out = io.StringIO()
    lines = csv.writer(out)  # lines end in \r\n: so a \r inside of a cell is quoted, too
    lines.writerow(header)
    lines.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()

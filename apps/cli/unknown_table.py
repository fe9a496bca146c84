"""A file that nobody described to us: whether it is a table, and which column holds the words.

Errs towards reading: only what is no text at all is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from sources.base import Rejected
from sources.encodings import detect_encoding
from sources.tables import Row, format_of, read_table
from sources.textcolumn import guess_text_column
from voc.errors import ConfigurationError, SourceFormatError
from voc.text import normalise

SAMPLE_ROWS = 200
_REST = "What follows was not read"
_SAMPLE_BYTES = 64 * 1024
_MOST_JUNK = 0.1
_LONGEST_NAME = 40
_JUNK = frozenset({"Cc", "Cn", "Co", "Cs"})
_SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive; name a workbook .xlsx",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as .xlsx",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"%PDF-": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3\x00": "a database",
}


class NoTableError(ConfigurationError):
    """The file cannot be read as a table; the text says why and what would help."""


@dataclass(frozen=True, slots=True)
class UnknownTable:
    """A table, its column of words, and its rows, to be read once."""

    path: Path
    columns: Sequence[str]
    text_column: str | None
    """None where there is no row to look at."""
    is_guessed: bool
    rows: Iterator[Row | Rejected]

    @property
    def may_lack_header(self) -> bool:
        """A column with a name this long is rather the first thing that somebody said."""
        return self.is_guessed and len(self.text_column or "") > _LONGEST_NAME

    def count_rows(self, limit: int | None) -> int:
        """How many there are, up to *limit*. Reads the file again."""
        wanted = [self.text_column] if self.text_column and not self.is_guessed else []
        rows = read_table(self.path, wanted=wanted)
        return sum(1 for _ in islice(_until_broken(rows, ""), limit))


def open_table(path: Path, text_column: str | None = None) -> UnknownTable:
    """Look at the first rows; the others follow as they are asked for.

    Raises:
        NoTableError: There is no such file, it is no table, or it has no such column.
    """
    _require_file(path)
    rows = read_table(path, wanted=[text_column] if text_column else [], label=_label(path))
    try:
        first = list(islice(rows, SAMPLE_ROWS))
    except SourceFormatError as exc:
        # Its advice is about sources, and there is none here.
        reason = exc.reason.partition(". Correct the columns")[0]
        raise NoTableError(f"{_label(path)}: {reason}") from None
    except OSError as exc:
        raise NoTableError(f"{_label(path)}: cannot be read ({exc.strerror})") from None
    cells = [row.cells for row in first if isinstance(row, Row)]
    columns = list(dict.fromkeys(name for each in cells for name in each))
    column = text_column or (guess_text_column(columns, cells) if columns else None)
    return UnknownTable(
        path=path,
        columns=columns,
        text_column=column,
        is_guessed=text_column is None,
        rows=chain(first, _until_broken(rows, _label(path))),
    )


def shown_columns(columns: Sequence[str]) -> str:
    """Names for a message: on one line, and none that may be a customer's words."""
    names = [" ".join(normalise(name).split()) for name in columns]
    short = [name for name in names if name and len(name) <= _LONGEST_NAME and "@" not in name]
    more = f" and {len(names) - len(short)} more" if len(short) < len(names) else ""
    return (", ".join(short) or "none") + more


def _until_broken(rows: Iterator[Row | Rejected], label: str) -> Iterator[Row | Rejected]:
    """A file that breaks in the middle ends with what is wrong."""
    try:
        yield from rows
    except SourceFormatError as exc:
        yield Rejected(place=label, reason=f"{exc.reason}. {_REST}", raw="")
    except OSError as exc:
        yield Rejected(place=label, reason=f"cannot be read ({exc.strerror}). {_REST}", raw="")


def _require_file(path: Path) -> None:
    label = _label(path)
    if path.is_dir():
        raise NoTableError(f"{label} is a folder; name one file in it")
    if not path.exists():
        raise NoTableError(f"there is no file {label}")
    if not path.is_file():
        raise NoTableError(f"{label} is no ordinary file; write it to one first")
    if path.stat().st_size == 0:
        raise NoTableError(f"{label} is empty; there is no table in it")
    if format_of(path) in {"csv", "jsonl"}:
        _require_text(path, label)


def _require_text(path: Path, label: str) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(_SAMPLE_BYTES)
        encoding = detect_encoding(path)
    except OSError as exc:
        raise NoTableError(f"{label}: cannot be read ({exc.strerror})") from None
    for signature, what in _SIGNATURES.items():
        if head.startswith(signature):
            raise NoTableError(f"{label} is no text: it looks like {what}")
    text = head.decode(encoding, errors="replace")
    junk = sum(
        c == "\ufffd" or (unicodedata.category(c) in _JUNK and c not in "\t\r\n") for c in text
    )
    if junk > _MOST_JUNK * len(text):
        raise NoTableError(f"{label} is no text, whatever its name says; export it as CSV")


def _label(path: Path) -> str:
    return normalise(path.name) or "the file"

"""Labelled rows out of files that nobody described to us: which were used, and why others not."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from apps.cli.analysis import LONGEST_TEXT, NO_TEXT
from apps.cli.unknown_table import NoTableError, UnknownTable, open_table, shown_columns
from sources.base import Rejected
from sources.cells import Cell, as_text
from sources.tables import Row
from voc.text import normalise

L = TypeVar("L")
TEXT_NAMES = ("text", "verbatim")
LANGUAGE_NAMES = ("lang", "language")
NO_LABEL = "no label"
MOST_REASONS = 12
"""A column of prose, taken for labels, would have one reason a row."""
NAMELESS = "(none)"


class UnusableLabelError(ValueError):
    """What stands in the label column is no label of this task; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Generic[L]):
    """What a task needs of a file."""

    parse: Callable[[Cell, str], L]
    """A cell, and the text of its row, to a label; raises `UnusableLabelError`."""
    label_names: Sequence[str]
    """Columns that may hold the labels if none was named, the likeliest first."""
    text_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFile:
    name: str
    sha256: str
    rows: int
    """That were used."""
    text_column: str
    label_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Generic[L]):
    """The rows of all files, in order; every sequence by row has the same length."""

    files: tuple[LabelledFile, ...]
    texts: tuple[str, ...]
    """As they stand in the file."""
    labels: tuple[L, ...]
    groups: Mapping[str, tuple[str, ...]]
    """What each row belongs to, by the name of the grouping: file, language, the column asked."""
    skipped: Mapping[str, int]
    """How many rows were not used, by reason."""

    @property
    def sha256(self) -> str:
        """Of the file; of several, of their hashes in order."""
        hashes = [file.sha256 for file in self.files]
        joined = "\n".join(hashes).encode()
        return hashes[0] if len(hashes) == 1 else hashlib.sha256(joined).hexdigest()

    def only(self, rows: Sequence[int]) -> Labelled[L]:
        """The same files, but only these rows of them."""
        return Labelled(
            files=self.files,
            texts=tuple(self.texts[row] for row in rows),
            labels=tuple(self.labels[row] for row in rows),
            groups={name: tuple(names[row] for row in rows) for name, names in self.groups.items()},
            skipped=self.skipped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    text: str
    label: str
    groups: Mapping[str, str]
    """The column of each grouping."""


def read_labelled(paths: Sequence[Path], wanted: Wanted[L]) -> Labelled[L]:
    """Every row that has a text and a label, of all files.

    Raises:
        NoTableError: A file is no table, lacks a column, or no row can be used.
    """
    names = _names(paths)
    texts: list[str] = []
    labels: list[L] = []
    groups: list[Mapping[str, str]] = []
    skipped: Counter[str] = Counter()
    files = []
    for path, name in zip(paths, names, strict=True):
        table, columns = _open(path, wanted)
        before = len(texts)
        for row in table.rows:
            try:
                text, label = _used(row, columns, wanted.parse)
            except UnusableLabelError as exc:
                skipped[str(exc)] += 1
                continue
            texts.append(text)
            labels.append(label)
            groups.append({"file": name} | _groups(row, columns))
        files.append(_file(path, name, columns, len(texts) - before))
    if not texts:
        raise NoTableError(f"{', '.join(names)}: no row can be used. {_told(skipped)}")
    return Labelled(
        files=tuple(files),
        texts=tuple(texts),
        labels=tuple(labels),
        groups=_by_grouping(groups, several=len(paths) > 1),
        skipped=_fewer(skipped),
    )


def _open(path: Path, wanted: Wanted[L]) -> tuple[UnknownTable, _Columns]:
    table = open_table(path, wanted.text_column)
    if table.text_column is None:
        raise NoTableError(f"{path.name} has no rows below the header")
    folded = {name.casefold(): name for name in reversed(table.columns)}
    label = _column(table, wanted.label_column) or _first(folded, wanted.label_names)
    if label is None:
        raise NoTableError(
            f"{path.name}: which column holds the labels? Name it with --label-column; "
            f"it has: {shown_columns(table.columns)}"
        )
    text = wanted.text_column or _first(folded, TEXT_NAMES) or table.text_column
    if text == label:
        raise NoTableError(
            f"{path.name}: {shown_columns([text])} cannot be both text and label; "
            "name them with --text-column and --label-column"
        )
    group = _column(table, wanted.group_column)
    if group == "file":
        raise NoTableError("a column called file cannot be a group: each file is one already")
    language = _first(folded, LANGUAGE_NAMES)
    groups = {"language": language, group: group} if group else {"language": language}
    return table, _Columns(
        text=text,
        label=label,
        groups={name: column for name, column in groups.items() if name and column},
    )


def _column(table: UnknownTable, name: str | None) -> str | None:
    """The column of that name, if one was named.

    Raises:
        NoTableError: There is none; the text lists those that are there.
    """
    if name is not None and name not in table.columns:
        raise NoTableError(
            f"{table.path.name} has no column {name}; it has: {shown_columns(table.columns)}"
        )
    return name


def _first(folded: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((folded[name] for name in names if name in folded), None)


def _used(row: Row | Rejected, columns: _Columns, parse: Callable[[Cell, str], L]) -> tuple[str, L]:
    if isinstance(row, Rejected):
        raise UnusableLabelError(re.sub(r"\d+", "N", row.reason))
    cell = row.cells.get(columns.text)
    # Not trimmed: spans count from the first character.
    text = cell if isinstance(cell, str) else as_text(cell)
    if not normalise(text):
        raise UnusableLabelError(NO_TEXT)
    if len(text) > LONGEST_TEXT:
        raise UnusableLabelError(f"the text is longer than {LONGEST_TEXT:,} characters")
    label = row.cells.get(columns.label)
    if not as_text(label):
        raise UnusableLabelError(NO_LABEL)
    return text, parse(label, text)


def _groups(row: Row | Rejected, columns: _Columns) -> dict[str, str]:
    cells = row.cells if isinstance(row, Row) else {}
    return {
        name: normalise(as_text(cells.get(column))) or NAMELESS
        for name, column in columns.groups.items()
    }


def _by_grouping(rows: Sequence[Mapping[str, str]], *, several: bool) -> dict[str, tuple[str, ...]]:
    """One sequence a grouping; files only where there are several."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: tuple(row.get(name, NAMELESS) for row in rows)
        for name in names
        if several or name != "file"
    }


def _file(path: Path, name: str, columns: _Columns, rows: int) -> LabelledFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return LabelledFile(
        name=name, sha256=sha256, rows=rows, text_column=columns.text, label_column=columns.label
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """The files' names; with their folder where two are called the same."""
    counts = Counter(path.name for path in paths)
    named = [
        path.name if counts[path.name] == 1 else f"{path.resolve().parent.name}/{path.name}"
        for path in paths
    ]
    return [normalise(name) for name in named]


def _fewer(skipped: Counter[str]) -> dict[str, int]:
    kept = dict(skipped.most_common(MOST_REASONS))
    others = skipped.total() - sum(kept.values())
    return kept | ({"other reasons": others} if others else {})


def _told(skipped: Counter[str]) -> str:
    reasons: Iterator[str] = (f"{count}: {why}" for why, count in _fewer(skipped).items())
    return "; ".join(reasons) or "There are none"

"""What an evaluation found: one JSON object for programs, tables for people, and the bounds."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from apps.cli.evaluation_data import Labelled
from voc.errors import ConfigurationError

DIGITS = 6
MOST_ROWS = 40
MOST_COLUMNS = 11
METRICS_FIRST = ("metric", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One task on one set of rows."""

    task: str
    data: Labelled[Any]
    model_versions: Mapping[str, str]
    metrics: Mapping[str, float]
    details: Mapping[str, Any]
    """Further figures: mappings, dataclasses and arrays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What somebody demands of a metric."""

    metric: str
    value: float
    is_least: bool

    def is_met(self, found: float) -> bool:
        return found >= self.value if self.is_least else found <= self.value


def as_object(outcome: Outcome) -> dict[str, Any]:
    """Plain JSON values, the metrics at the top level; `docs/evaluate.md` explains the keys."""
    return {
        "task": outcome.task,
        "rows": len(outcome.data.texts),
        **metrics_of(outcome),
        "model_versions": dict(outcome.model_versions),
        "data_sha256": outcome.data.sha256,
        "files": plain(outcome.data.files),
        "skipped": dict(outcome.data.skipped),
        **plain(outcome.details),
    }


def to_json(outcome: Outcome) -> str:
    """In ASCII, so that it is the same whatever the locale."""
    return json.dumps(as_object(outcome), indent=2, allow_nan=False)


def metrics_of(outcome: Outcome) -> dict[str, float]:
    """Rounded as they are printed: a bound is compared with what people see."""
    return {name: round(float(value), DIGITS) for name, value in outcome.metrics.items()}


def plain(value: Any) -> Any:
    """Mappings, lists and scalars only; NaN is nothing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def missed(outcome: Outcome, bounds: Sequence[Bound]) -> list[str]:
    """What was demanded and is not so, a sentence each.

    Raises:
        ConfigurationError: There is no such metric; the text lists those that there are.
    """
    metrics = metrics_of(outcome)
    for bound in bounds:
        if bound.metric not in metrics:
            known = ", ".join(metrics)
            raise ConfigurationError(
                f"there is no metric {bound.metric} of {outcome.task} on these rows; "
                f"there are: {known}"
            )
    return [
        f"{bound.metric} is {metrics[bound.metric]:.{DIGITS}g}, "
        f"{'below' if bound.is_least else 'above'} {bound.value:.{DIGITS}g}"
        for bound in bounds
        if not bound.is_met(metrics[bound.metric])
    ]


def print_outcome(console: Console, outcome: Outcome) -> None:
    """The metrics, then every table of the details, then what it was measured with and on."""
    _print_table(console, "", METRICS_FIRST, list(metrics_of(outcome).items()))
    for title, columns, rows in tables("", plain(outcome.details)):
        _print_table(console, title, columns, rows)
    _say(console, f"{outcome.task}: {len(outcome.data.texts):,} rows")
    for file in outcome.data.files:
        what = f"{file.rows:,} rows, text: {file.text_column}, labels: {file.label_column}"
        _say(console, f"  {file.name}: {what}")
    for reason, count in outcome.data.skipped.items():
        _say(console, f"  not used, {count:,}: {reason}")
    for name, version in outcome.model_versions.items():
        _say(console, f"{name} {version}")
    _say(console, f"data sha256 {outcome.data.sha256}")


Cells = Sequence[Any]


def tables(title: str, value: Any) -> Iterator[tuple[str, Sequence[str], Sequence[Cells]]]:
    """Title, columns and rows of everything in plain *value* that makes a table."""
    if _are_records(value):
        records = dict(enumerate(value)) if isinstance(value, list) else value
        columns = list(dict.fromkeys(name for record in records.values() for name in record))
        rows = [[record.get(column) for column in columns] for record in records.values()]
        if isinstance(value, list):
            yield title, columns, rows
        else:
            named = [[name, *row] for name, row in zip(records, rows, strict=True)]
            yield title, ["", *columns], named
    elif isinstance(value, dict):
        scalars = [(name, each) for name, each in value.items() if _is_scalar(each)]
        if shown := [(name, each) for name, each in scalars if each is not None]:
            yield title, ("", "value"), shown
        for name, each in value.items():
            if not _is_scalar(each):
                words = name.replace("_", " ")
                yield from tables(f"{title}: {name}" if title else words, each)


def _are_records(value: Any) -> bool:
    """Mappings of scalars, by name or in a list; at least one."""
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(each) and all(
        isinstance(record, dict) and all(map(_is_scalar, record.values())) for record in each
    )


def _is_scalar(value: Any) -> bool:
    """One cell; a list of words is one, too."""
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, dict)


def _print_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Cells]
) -> None:
    table = Table(title=Text(title) if title else None, title_justify="left")
    for place, column in enumerate(columns[:MOST_COLUMNS]):
        table.add_column(Text(column), justify="right" if place else "left", overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(Text(_shown(cell)) for cell in row[:MOST_COLUMNS]))
    console.print(table)
    if len(rows) > MOST_ROWS or len(columns) > MOST_COLUMNS:
        _say(console, f"  of {len(rows)} rows and {len(columns)} columns; all: --json")


def _say(console: Console, sentence: str) -> None:
    """On one line: a pipe has no width."""
    console.print(Text(sentence), soft_wrap=True)


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return ", ".join(map(str, cell)) if isinstance(cell, list) else str(cell)

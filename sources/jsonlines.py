"""JSON lines: one object a line. A broken line costs that line and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from sources.cells import Broken, Cell, Named, to_cell
from sources.strictjson import JsonError, parse_json

_DEEPEST = 8
"""Objects in objects that become columns (``author.name``); deeper ones are refused."""


def read_json_lines(path: Path, encoding: str) -> Iterator[Named | Broken]:
    """Every line that is not blank. Objects inside are columns with a dot: ``author.name``."""
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _read(number, line.rstrip("\n"))


def _read(number: int, line: str) -> Named | Broken:
    try:
        value = parse_json(line)
        if not isinstance(value, dict):
            return Broken(number, line, "the line is no JSON object; write one {...} a line")
        return Named(number, flat_cells(value))
    except JsonError as exc:
        return Broken(number, line, f"{exc}; write one JSON object a line")


def flat_cells(found: Mapping[str, object], prefix: str = "", depth: int = 0) -> dict[str, Cell]:
    """The object as one row.

    Raises:
        JsonError: Objects stand in objects more than eight deep.
    """
    if depth > _DEEPEST:
        raise JsonError("objects are nested too deeply")
    cells: dict[str, Cell] = {}
    for key, value in found.items():
        if isinstance(value, Mapping):
            cells.update(flat_cells(value, f"{prefix}{key}.", depth + 1))
        elif isinstance(value, list):
            cells[prefix + key] = json.dumps(value, ensure_ascii=False)
        else:
            cells[prefix + key] = to_cell(value)
    return cells

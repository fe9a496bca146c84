"""The tables of the model cards: how good each model is, and which version was measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CARDS = Path(__file__).parents[3] / "docs" / "models"
NAMES = {
    "sentiment": "Sentiment",
    "routing": "Departments and topics, learned from labels",
    "routing_described": "Departments and topics, from descriptions alone",
    "statements": "Statements",
    "masking": "Masking",
    "themes": "Themes",
}
_TABLE = re.compile(r"<!-- table:(\w+) -->\n(.*?)<!-- /table -->", re.DOTALL)
_VERSION = re.compile(r"[\w-]+@[\w.-]+\w|\blingua[\w-]*\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One table of a card."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    measured: str
    """On what, and with which versions."""
    versions: frozenset[str]


@lru_cache(maxsize=1)
def cards(folder: Path = CARDS) -> tuple[Card, ...]:
    """The tables that are in *folder*, in the order of `NAMES`; none where docs are not kept."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")))
    found = {
        name: _card(NAMES[name], table) for name, table in _TABLE.findall(text) if name in NAMES
    }
    return tuple(found[name] for name in NAMES if name in found)


def _card(name: str, text: str) -> Card:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    table = [_cells(line) for line in lines if line.startswith("|")]
    measured = " ".join(line for line in lines if not line.startswith("|"))
    return Card(
        name=name,
        head=table[0],
        rows=tuple(table[2:]),
        measured=measured.replace("`", ""),
        versions=frozenset(_VERSION.findall(measured)),
    )


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip("*`") for cell in line.strip("|").split("|"))

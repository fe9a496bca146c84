"""What `voc analyze` found: as blocks to read, JSON lines, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.text import Text

from apps.cli.analysis import Analysis, Entry, Judged, Unread
from apps.cli.shown import shown
from nlp.sentiment import LABELS
from nlp.topics import Guess
from voc.spreadsheet import harmless

COLUMNS = (
    *("row", "place", "language", "overall", "overall_probability", "start", "end", "statement"),
    *("sentiment", "sentiment_probability", "topic", "topic_probability"),
    *("department", "department_probability", "masked", "note", "problem"),
)
_SIGNS = {"negative": ("▼", "red"), "neutral": ("■", "yellow"), "positive": ("▲", "green")}
_UNSURE = ("?", "magenta")
_NARROWEST = 20


class Writer(Protocol):
    """Writes entries as they come."""

    def write(self, entry: Entry) -> None: ...

    def close(self) -> None:
        """Write what stands at the end."""
        ...


class JsonLines:
    """One object a row, always with the same keys; `docs/analyze.md` explains them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, entry: Entry) -> None:
        self._out.write(json.dumps(as_object(entry), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Nothing stands at the end."""


class Csv:
    """One line a statement. A row without statements has one line, too."""

    def __init__(self, out: TextIO) -> None:
        self._rows = csv.DictWriter(out, COLUMNS)  # \r\n, as in voc.spreadsheet
        self._rows.writeheader()

    def write(self, entry: Entry) -> None:
        for line in _lines(entry):
            self._rows.writerow({key: harmless(value) for key, value in line.items()})

    def close(self) -> None:
        """Nothing stands at the end."""


class Blocks:
    """A block a row: its head, and below it each statement with what it means."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._unread: list[Unread] = []

    def write(self, entry: Entry) -> None:
        if isinstance(entry, Unread):
            self._unread.append(entry)
            return
        self._print(0, _head(entry))
        for each in entry.statements:
            self._print(2, Text.assemble(_feeling(each.sentiment), " ", shown(each.text)))
            self._print(4, _subjects(each))
        self._print(0, Text())

    def close(self) -> None:
        if self._unread:
            self._print(0, Text("Could not be read:", style="bold"))
        for entry in self._unread:
            self._print(2, Text(shown(f"{entry.place}: {entry.problem}")))

    def _print(self, indent: int, text: Text) -> None:
        """Wrapped on a terminal, below where it began; in one piece anywhere else."""
        lines = [text]
        if self._console.is_terminal:
            width = max(self._console.width - indent, _NARROWEST)
            lines = list(text.wrap(self._console, width))
        for line in lines:
            line.rstrip()
            self._console.print(Text(" " * indent) + line, soft_wrap=True, highlight=False)


def as_object(entry: Entry) -> dict[str, Any]:
    """The entry as plain values. A row that could not be read has nothing but its problem."""
    if isinstance(entry, Unread):
        empty = dict.fromkeys(("text", "language", "sentiment", "probabilities", "masked"))
        head = {"row": entry.row, "place": entry.place, **empty}
        return {**head, "statements": [], "note": None, "problem": entry.problem}
    return {
        "row": entry.row,
        "place": entry.place,
        "text": entry.text,
        "language": entry.language,
        "sentiment": entry.sentiment.value if entry.sentiment else None,
        "probabilities": _by_label(entry.probabilities),
        "masked": dict(entry.masked),
        "statements": [_statement(each) for each in entry.statements],
        "note": entry.note,
        "problem": None,
    }


def _statement(each: Judged) -> dict[str, Any]:
    return {
        "start": each.start,
        "end": each.end,
        "text": each.text,
        "sentiment": each.sentiment.value if each.sentiment else None,
        "probabilities": _by_label(each.probabilities),
        "topic": _offers(each.topic),
        "department": _offers(each.department),
    }


def _offers(guess: Guess) -> dict[str, Any]:
    offers = [{"value": value, "probability": _rounded(share)} for value, share in guess.offers]
    return {"value": guess.value, "probability": _rounded(guess.probability), "offers": offers}


def _by_label(probabilities: tuple[float, float, float] | None) -> dict[str, float] | None:
    if probabilities is None:
        return None
    return {label: _rounded(p) for label, p in zip(LABELS, probabilities, strict=True)}


def _rounded(probability: float) -> float:
    return round(float(probability), 4)


def _lines(entry: Entry) -> Iterator[Mapping[str, object]]:
    if isinstance(entry, Unread):
        yield {"row": entry.row, "place": entry.place, "problem": entry.problem}
        return
    head: dict[str, object] = {
        "row": entry.row,
        "place": entry.place,
        "language": entry.language,
        **_cells("overall", entry.sentiment),
        "masked": _counted(entry.masked),
        "note": entry.note,
    }
    if not entry.statements:
        yield head
    for each in entry.statements:
        yield {
            **head,
            "start": each.start,
            "end": each.end,
            "statement": each.text,
            **_cells("sentiment", each.sentiment),
            **_cells("topic", each.topic),
            **_cells("department", each.department),
        }


def _cells(name: str, guess: Guess | None) -> dict[str, object]:
    if guess is None or not guess.offers:
        return {}
    return {name: guess.value, f"{name}_probability": _rounded(guess.probability)}


def _counted(masked: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in masked.items())


def _head(entry: Analysis) -> Text:
    parts = [Text(shown(entry.place), style="bold")]
    if entry.language:
        parts.append(Text(entry.language))
    if entry.sentiment:
        parts.append(Text.assemble(_feeling(entry.sentiment), " ", _likely(entry.sentiment)))
    if entry.masked:
        parts.append(Text(f"masked: {_counted(entry.masked)}"))
    if entry.note:
        parts.append(Text(shown(entry.note), style="italic"))
    return Text(" · ").join(parts)


def _feeling(guess: Guess | None) -> Text:
    """A sign and a colour; never a colour alone."""
    if guess is None or not guess.offers:
        return Text("·", style="dim")
    sign, colour = _SIGNS.get(guess.value or "", _UNSURE)
    return Text(sign, style=f"bold {colour}")


def _likely(guess: Guess) -> str:
    return f"{guess.value or 'unsure'} {guess.probability:.0%}"


def _subjects(each: Judged) -> Text:
    parts = []
    if each.sentiment and each.sentiment.offers:
        parts.append(_likely(each.sentiment))
    for name, guess in (("department", each.department), ("topic", each.topic)):
        if guess.value:
            parts.append(f"{guess.value} {guess.probability:.0%}")
        elif guess.offers:
            parts.append(f"{name}? perhaps {guess.offers[0][0]} {guess.probability:.0%}")
    return Text(" · ".join(parts) or "no words to judge", style="dim")

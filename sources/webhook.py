"""Feedback that a service sends by itself. The web app takes it in; here it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sources.base import Page, RawFeedback, Rejected
from sources.cells import Cell
from sources.rows import FILE_TIME, TakenBack, read_row, require_kept
from sources.times import parse_time
from voc.company.mapped import Columns
from voc.company.sources import WebhookSource
from voc.text import normalise

DEEPEST, MOST_CELLS = 6, 500
UNREADABLE = "the body is no JSON object; whoever sent it has to send it anew"
TOO_MUCH = f"more than {MOST_CELLS} values; name the one that is its id (columns.id)"
OF_TYPEFORM = {"id": "token", "said_at": "submitted_at"}
"""Where every response of Typeform says these, if the company file does not say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One delivery, read."""

    event_id: str
    """The sender's own id of the delivery; empty where it stands in a header."""
    found: RawFeedback | TakenBack | Rejected | None
    """None: it is about something else than feedback."""


class Webhooks:
    """A source that is never asked: what it has, it sends."""

    def __init__(self, config: WebhookSource) -> None:
        self._config = with_defaults(config)

    @property
    def name(self) -> str:
        return self._config.id

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Nothing: there is nobody to ask."""
        return iter(())

    def parse(self, raw: str) -> RawFeedback | Rejected:
        """Read one quarantined delivery again."""
        told = _object(raw)
        if told is None:
            return Rejected(place=self.name, reason=UNREADABLE, raw=raw)
        return require_kept(_read(told, self._config), self.name, raw)


def with_defaults(config: WebhookSource) -> WebhookSource:
    """With the columns that its provider always has."""
    if config.provider != "typeform":
        return config
    missing = {k: v for k, v in OF_TYPEFORM.items() if getattr(config.columns, k) is None}
    columns = config.columns.model_copy(update=missing)
    return config.model_copy(update={"columns": columns})


def read_pushed(body: bytes, config: WebhookSource, *, now: datetime) -> Pushed:
    """What a delivery says.

    Args:
        now: When it came: that is when it was said, where nothing says it.
    """
    told = _object(body)
    if told is None:
        raw = body.decode("utf-8", "replace")
        return Pushed(event_id="", found=Rejected(place=config.id, reason=UNREADABLE, raw=raw))
    event_id = ""
    if config.provider == "typeform":
        event_id = normalise(str(told.get("event_id") or ""))[:255]
        if told.get("event_type") != "form_response":
            return Pushed(event_id=event_id, found=None)
    if with_defaults(config).columns.said_at is None:
        told = {**told, FILE_TIME: _happened(told, now).isoformat()}
    return Pushed(event_id=event_id, found=_read(told, config))


def _object(body: bytes | str) -> dict[str, Any] | None:
    """The JSON object that it is, if it can be written down again; else None."""
    try:
        told = json.loads(body)
        json.dumps(told)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _happened(told: Mapping[str, Any], now: datetime) -> datetime:
    """When it happened: `timestamp`, which Standard Webhooks recommends, or when it came."""
    said = told.get("timestamp")
    moment = parse_time(said) if isinstance(said, str | int | float) else None
    return min(moment or now, now)


def _read(told: Mapping[str, Any], config: WebhookSource) -> RawFeedback | TakenBack | Rejected:
    """What a body says. What it says wrong is kept whole: a fix may name another part of it."""
    config = with_defaults(config)
    if config.provider == "typeform":
        cells = typeform_cells(told.get("form_response"))
    elif config.columns.id is not None:
        cells = named(told, config.columns)
    elif (whole := flat(told)) is not None:
        cells = whole | named(told, config.columns)
    else:
        return Rejected(place=config.id, reason=TOO_MUCH, raw=json.dumps(told))
    if FILE_TIME in told:
        cells[FILE_TIME] = _cell(told[FILE_TIME])
    found = read_row(cells, config.id, config)
    return replace(found, raw=json.dumps(told)) if isinstance(found, Rejected) else found


def typeform_cells(response: object) -> dict[str, Cell]:
    """A response as a row: answers by the `ref` and the id of their question, hidden fields."""
    if not isinstance(response, Mapping):
        return {}
    hidden = response.get("hidden")
    cells = {str(k): _cell(v) for k, v in hidden.items()} if isinstance(hidden, Mapping) else {}
    for name in ("form_id", "token", "landed_at", "submitted_at"):
        cells[name] = _cell(response.get(name))
    answers = response.get("answers")
    for answer in answers if isinstance(answers, list) else ():
        field = answer.get("field") if isinstance(answer, Mapping) else None
        if isinstance(field, Mapping):
            for key in (field.get("id"), field.get("ref")):
                if isinstance(key, str):
                    cells[key] = _answer(answer)
    return cells


def named(told: Mapping[str, Any], columns: Columns) -> dict[str, Cell]:
    """A JSON object as a row: the values that the company file names, however many there are."""
    return {path: _cell(_at(told, path)) for path in columns.named}


def _at(told: object, path: str) -> object:
    """What stands at a path such as ``data.answers.why``. A name may hold dots itself."""
    if not isinstance(told, Mapping):
        return None
    if path in told:
        return told[path]
    dots = (i for i, letter in enumerate(path) if letter == ".")
    found = (_at(told.get(path[:dot]), path[dot + 1 :]) for dot in dots)
    return next((value for value in found if value is not None), None)


def flat(told: Mapping[str, Any]) -> dict[str, Cell] | None:
    """A JSON object as a row: all its values by their paths; None if they are too many."""
    cells: dict[str, Cell] = {}
    waiting: list[tuple[str, Any, int]] = [("", told, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if not isinstance(value, Mapping) or depth >= DEEPEST:
            cells[path] = _cell(value)
            continue
        if len(cells) + len(waiting) + len(value) > MOST_CELLS:
            return None
        waiting += [
            (f"{path}.{key}" if path else str(key), each, depth + 1) for key, each in value.items()
        ]
    return cells


def _answer(answer: Mapping[str, Any]) -> Cell:
    """What was answered, as a person would say it: what was chosen, and what was typed beside."""
    value = answer.get(str(answer.get("type")))
    if isinstance(value, Mapping):
        labels = value.get("labels")
        value = [
            *(labels if isinstance(labels, list) else ()),
            *(each for key in ("label", "other") if (each := value.get(key))),
        ]
    return _cell(value)


def _cell(value: object) -> Cell:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value if not isinstance(each, list | Mapping))
    return value if isinstance(value, str | int | float | bool) else None

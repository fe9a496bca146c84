"""Feedback that a service sends by itself. The web app takes it in; here it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sources.base import Page, RawFeedback, Rejected
from sources.cells import Cell
from sources.rows import FILE_TIME, TakenBack, read_again, read_row
from voc.company.sources import WebhookSource

DEEPEST, MOST_CELLS = 6, 500
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
        return read_again(raw, self.name, self._config)


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
        now: When it came: that is when it was said, where no column says it.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Pushed(event_id="", found=_rejected(body, config, "the body is no JSON"))
    if not isinstance(told, dict):
        return Pushed(event_id="", found=_rejected(body, config, "the body is no JSON object"))
    event_id, cells = "", dict[str, Cell]()
    if config.provider == "typeform":
        event_id = str(told.get("event_id") or "")[:255]
        if told.get("event_type") != "form_response":
            return Pushed(event_id=event_id, found=None)
        cells = typeform_cells(told.get("form_response"))
    else:
        cells = flat(told)
    config = with_defaults(config)
    if config.columns.said_at is None:
        cells[FILE_TIME] = now.isoformat()
    return Pushed(event_id=event_id, found=read_row(cells, config.id, config))


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


def flat(told: Mapping[str, Any]) -> dict[str, Cell]:
    """A JSON object as a row: its values by their paths, ``data.answers.why``."""
    cells: dict[str, Cell] = {}
    waiting: list[tuple[str, Any, int]] = [("", told, 0)]
    while waiting and len(cells) < MOST_CELLS:
        path, value, depth = waiting.pop()
        if isinstance(value, Mapping) and depth < DEEPEST:
            waiting += [
                (f"{path}.{key}" if path else str(key), each, depth + 1)
                for key, each in value.items()
            ]
        else:
            cells[path] = _cell(value)
    return cells


def _answer(answer: Mapping[str, Any]) -> Cell:
    """What was answered, as a person would say it."""
    value = answer.get(str(answer.get("type")))
    if isinstance(value, Mapping):
        value = value.get("labels") or value.get("label") or value.get("other")
    return _cell(value)


def _cell(value: object) -> Cell:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value if not isinstance(each, list | Mapping))
    return value if isinstance(value, str | int | float | bool) else None


def _rejected(body: bytes, config: WebhookSource, reason: str) -> Rejected:
    return Rejected(place=config.id, reason=reason, raw=body.decode("utf-8", "replace"))

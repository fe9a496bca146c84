"""A row of a table as feedback: the company file says which column holds what."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sources.base import RawFeedback, RawIdentity, RawRating, Rejected
from sources.cells import Cell, Cells, as_number, as_text
from sources.items import (
    MAX_ID,
    MAX_NAME,
    ItemError,
    joined_text,
    one_line,
    rating_on,
    require_something_said,
    web_address,
)
from sources.times import parse_time
from voc.company.mapped import Mapped
from voc.models import Channel, IdentityKind
from voc.text import normalise

FILE_TIME = "(file changed at)"
"""The column in which a reader notes the file's own time, where no column says when."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A row that says: the customer deleted this."""

    external_id: str


def read_row(cells: Cells, place: str, config: Mapped) -> RawFeedback | TakenBack | Rejected:
    """What the row says, or why it says nothing that we can take."""
    try:
        external_id = _external_id(cells, config)
        if _is_yes(cells, config.columns.deleted, config):
            return TakenBack(external_id)
        return _feedback(cells, external_id, config)
    except ItemError as exc:
        return Rejected(
            place=place, reason=str(exc)[:255], raw=json.dumps(dict(cells), default=str)
        )


def content_id(cells: Cells) -> str:
    """The id of a row that brings none: the hash of what it says.

    Empty cells and the file's own time are left out, so that a new column or a copy of the file
    does not make old rows new ones.
    """
    said = {
        normalise(name): text
        for name, cell in cells.items()
        if name != FILE_TIME and (text := normalise(as_text(cell)))
    }
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _external_id(cells: Cells, config: Mapped) -> str:
    column = config.columns.id
    if column is None:
        return content_id(cells)
    external_id = normalise(as_text(cells.get(column)))
    if not external_id:
        raise ItemError(f"no id: every row needs one in column {column!r}")
    if len(external_id) > MAX_ID:
        raise ItemError(f"the id in column {column!r} is longer than {MAX_ID} characters")
    return external_id


def _feedback(cells: Cells, external_id: str, config: Mapped) -> RawFeedback:
    columns = config.columns
    verbatim = joined_text(*(as_text(cells.get(column)) for column in columns.texts))
    rating = _rating(cells, config)
    require_something_said(verbatim, rating)
    return RawFeedback(
        external_id=external_id,
        verbatim=verbatim,
        said_at=_said_at(cells, config),
        channel=_channel(cells, config),
        rating=rating,
        identities=_identities(cells, config),
        name=_short(cells, columns.name, MAX_NAME),
        language=_short(cells, columns.language, 16),
        country=_country(cells, columns.country),
        segment=_short(cells, columns.segment, 64),
        value=as_number(cells.get(columns.value), config.decimal) if columns.value else None,
        consent=_consent(cells, config),
        touchpoint=_short(cells, columns.touchpoint, 64) or config.touchpoint,
        product=_short(cells, columns.product, 64) or config.product,
        url=web_address(as_text(cells.get(columns.url))) if columns.url else None,
    )


def _channel(cells: Cells, config: Mapped) -> Channel:
    column = config.columns.channel
    word = as_text(cells.get(column)).strip() if column else ""
    return config.channels.get(word, config.channel)


def _said_at(cells: Cells, config: Mapped) -> datetime:
    column = config.columns.said_at or FILE_TIME
    cell = cells.get(column)
    if as_text(cell) == "":
        raise ItemError(f"no time: every row needs one in column {column!r}")
    value = cell if isinstance(cell, int | float) else as_text(cell)
    moment = parse_time(value, zone=ZoneInfo(config.timezone), date_format=config.date_format)
    if moment is None:
        raise ItemError(
            f"the time in column {column!r} is not readable; write 2026-01-31T18:05:00+01:00, "
            "or set date_format"
        )
    return moment


def _rating(cells: Cells, config: Mapped) -> RawRating | None:
    column, scale = config.columns.rating, config.rating_scale
    if column is None or scale is None or as_text(cells.get(column)) == "":
        return None
    value = as_number(cells.get(column), config.decimal)
    if value is None:
        raise ItemError(
            f"the rating in column {column!r} is not a number with decimals after "
            f"{config.decimal!r}"
        )
    return rating_on(scale, value)


def _identities(cells: Cells, config: Mapped) -> tuple[RawIdentity, ...]:
    columns = config.columns
    mapped = (
        (IdentityKind.ACCOUNT, columns.account),
        (IdentityKind.EMAIL, columns.email),
        (IdentityKind.PHONE, columns.phone),
        (IdentityKind.HANDLE, columns.handle),
    )
    found = []
    for kind, column in mapped:
        value = _short(cells, column, 320)
        if value and kind is IdentityKind.HANDLE:
            value = f"{config.handle_platform}:@{value.removeprefix('@')}"
        if value:
            found.append(RawIdentity(kind=kind, value=value))
    return tuple(found)


def _consent(cells: Cells, config: Mapped) -> bool | None:
    column = config.columns.consent
    if column is None or as_text(cells.get(column)) == "":
        return None
    return _is_yes(cells, column, config)


def _is_yes(cells: Cells, column: str | None, config: Mapped) -> bool:
    if column is None:
        return False
    yes = {word.casefold() for word in config.consent_yes}
    return normalise(as_text(cells.get(column))).casefold() in yes


def _country(cells: Cells, column: str | None) -> str | None:
    code = _short(cells, column, MAX_NAME)
    return code.upper() if code and re.fullmatch("[A-Za-z]{2}", code) else None


def _short(cells: Cells, column: str | None, limit: int) -> str | None:
    return one_line(as_text(cells.get(column)), limit) if column else None


def cells_of(raw: str) -> dict[str, Cell] | None:
    """The row that `Rejected.raw` holds, or None if it is a line that never was one."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_again(raw: str, name: str, config: Mapped) -> RawFeedback | Rejected:
    """Read one quarantined row of the source *name* again."""
    cells = cells_of(raw)
    if cells is None:
        reason = "the line is no row of the table; correct it in the file"
        return Rejected(place=name, reason=reason, raw=raw)
    return require_kept(read_row(cells, name, config), name, raw)


def require_kept(
    found: RawFeedback | TakenBack | Rejected, name: str, raw: str
) -> RawFeedback | Rejected:
    """What was read again, unless the customer took it back since."""
    if isinstance(found, TakenBack):
        return Rejected(place=name, reason="the customer took it back", raw=raw)
    return found

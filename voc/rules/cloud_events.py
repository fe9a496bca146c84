"""What other programs are told of: events of the ledger as CloudEvents 1.0, ids and codes only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from voc.models import TicketEventKind as Kind

MEDIA_TYPE = "application/cloudevents+json"
TEMPLATE = "cloud_event"
SUBJECT = "event:"
"""What a message's subject begins with that tells of an event; its number follows."""
HASH_SHOWN = 16
"""Letters of the event's hash in the message's key: after a restore numbers are given anew."""
CODE = re.compile(r"[\w.:+ -]{0,64}", re.ASCII)


class EventType(StrEnum):
    """What a webhook can be told of."""

    TICKET_OPENED = "ticket.opened"
    TICKET_JOINED = "ticket.joined"
    TICKET_ACCEPTED = "ticket.accepted"
    TICKET_RELEASED = "ticket.released"
    TICKET_ASSIGNED = "ticket.assigned"
    TICKET_REASSIGNED = "ticket.reassigned"
    TICKET_COMMENTED = "ticket.commented"
    TICKET_COMMENT_REMOVED = "ticket.comment_removed"
    TICKET_SNOOZED = "ticket.snoozed"
    TICKET_WOKEN = "ticket.woken"
    TICKET_MERGED = "ticket.merged"
    TICKET_ESCALATED = "ticket.escalated"
    TICKET_RESOLVED = "ticket.resolved"
    TICKET_REOPENED = "ticket.reopened"
    TICKET_CLOSED = "ticket.closed"
    LOOP_OPENED = "loop.opened"
    LOOP_TOLD = "loop.told"
    LOOP_ANSWERED = "loop.answered"
    LOOP_CLOSED = "loop.closed"
    LOOP_ENDED = "loop.ended"
    LOOP_REOPENED = "loop.reopened"


TYPES: Mapping[Kind, EventType] = MappingProxyType(
    {
        Kind.OPENED: EventType.TICKET_OPENED,
        Kind.JOINED: EventType.TICKET_JOINED,
        Kind.ACCEPTED: EventType.TICKET_ACCEPTED,
        Kind.RELEASED: EventType.TICKET_RELEASED,
        Kind.ASSIGNED: EventType.TICKET_ASSIGNED,
        Kind.REASSIGNED: EventType.TICKET_REASSIGNED,
        Kind.COMMENTED: EventType.TICKET_COMMENTED,
        Kind.COMMENT_REMOVED: EventType.TICKET_COMMENT_REMOVED,
        Kind.SNOOZED: EventType.TICKET_SNOOZED,
        Kind.WOKEN: EventType.TICKET_WOKEN,
        Kind.MERGED: EventType.TICKET_MERGED,
        Kind.ESCALATED: EventType.TICKET_ESCALATED,
        Kind.RESOLVED: EventType.TICKET_RESOLVED,
        Kind.TAKEN_BACK: EventType.TICKET_REOPENED,
        Kind.REOPENED: EventType.TICKET_REOPENED,
        Kind.CLOSED: EventType.TICKET_CLOSED,
        Kind.LOOP_OPENED: EventType.LOOP_OPENED,
        Kind.LOOP_TOLD: EventType.LOOP_TOLD,
        Kind.ANSWERED: EventType.LOOP_ANSWERED,
        Kind.LOOP_CLOSED: EventType.LOOP_CLOSED,
        Kind.LOOP_ENDED: EventType.LOOP_ENDED,
        Kind.LOOP_REOPENED: EventType.LOOP_REOPENED,
    }
)
CODED = frozenset(
    {Kind.OPENED, Kind.JOINED, Kind.REASSIGNED, Kind.ESCALATED, Kind.REOPENED, Kind.MERGED}
    | {Kind.LOOP_TOLD, Kind.LOOP_CLOSED, Kind.LOOP_ENDED, Kind.LOOP_REOPENED}
)
"""Whose detail is a code: a department, a level, a reason. That of others may name people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEvent:
    """One event of the ledger, as far as others may know it."""

    id: int
    hash: str
    kind: Kind
    ticket_id: int | None
    loop_id: int | None
    detail: str
    at: datetime


def subject_of(event_id: int) -> str:
    """The subject of the message that tells of an event."""
    return f"{SUBJECT}{event_id}"


def event_id_of(subject: str) -> int | None:
    """The number of the event that a message tells of; None if it tells of none."""
    number = subject.removeprefix(SUBJECT)
    return int(number) if number != subject and number.isdigit() else None


def step_of(kind: Kind, event_hash: str) -> str:
    """The step of that message. Two events never share one, whatever numbers they have."""
    return f"{TYPES[kind]}.{event_hash[:HASH_SHOWN]}"


def cloud_event(event: LedgerEvent, *, source: str) -> dict[str, Any]:
    """The event in the structured form of CloudEvents 1.0 (JSON).

    Its id is the event's hash in the ledger: the same for ever, and nobody else's. `sequence` is
    its number there, by which a receiver puts events into order.

    Args:
        source: Our public address.
    """
    is_ticket = TYPES[event.kind].startswith("ticket.")
    about = f"tickets/{event.ticket_id}" if is_ticket else f"loops/{event.loop_id}"
    coded = event.kind in CODED and CODE.fullmatch(event.detail)
    return {
        "specversion": "1.0",
        "id": event.hash,
        "source": source.rstrip("/"),
        "type": f"vocloop.{TYPES[event.kind]}.v1",
        "subject": about,
        "time": event.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": f"{event.id:012d}",
        "data": {
            "ticket": event.ticket_id,
            "loop": event.loop_id,
            "code": event.detail if coded else "",
        },
    }

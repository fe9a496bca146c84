"""What each message's templates may use. The fields are the contract: anything else is an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voc.models import LinkPurpose

LANGUAGES = ("en", "de", "es")
"""In which there is every follow-up. Alerts to colleagues are in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpMail:
    """To a customer. Every word of theirs is data: it is shown, never interpreted."""

    template: ClassVar[str]
    purposes: ClassVar[tuple[LinkPurpose, ...]] = (LinkPurpose.UNSUBSCRIBE,)

    language: str
    company: str
    postal_address: str
    name: str | None
    quote: str
    said_on: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(FollowUpMail):
    template: ClassVar = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanks(FollowUpMail):
    template: ClassVar = "thanks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What one department did."""

    department: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution(FollowUpMail):
    """The one consolidated reply for all tickets of a loop."""

    template: ClassVar = "resolution"
    purposes: ClassVar = (LinkPurpose.UNSUBSCRIBE, LinkPurpose.ANSWER)

    actions: tuple[Action, ...]
    solved_url: str
    not_solved_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder(FollowUpMail):
    template: ClassVar = "reminder"
    purposes: ClassVar = (LinkPurpose.UNSUBSCRIBE, LinkPurpose.ANSWER)

    solved_url: str
    not_solved_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A department that may own a ticket in triage."""

    department: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMail:
    """To a colleague who owns a ticket, or to whom a late one was raised."""

    template: ClassVar[str]
    purposes: ClassVar = (LinkPurpose.ACCEPT, LinkPurpose.REASSIGN, LinkPurpose.RESOLVE)

    language: str
    company: str
    ticket: int
    department: str
    because: str
    priority: str
    quotes: tuple[str, ...]
    first_response_due: str
    resolution_due: str
    offers: tuple[Offer, ...]
    owner: str | None
    level: int
    accept_url: str
    reassign_url: str
    resolve_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened(AlertMail):
    template: ClassVar = "ticket_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEscalated(AlertMail):
    template: ClassVar = "ticket_escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReopened(AlertMail):
    template: ClassVar = "ticket_reopened"

    objection: str | None


Context = FollowUpMail | AlertMail

FOLLOW_UPS: dict[str, type[FollowUpMail]] = {
    c.template: c for c in (Receipt, Thanks, Resolution, Reminder)
}
ALERTS: dict[str, type[AlertMail]] = {
    c.template: c for c in (TicketOpened, TicketEscalated, TicketReopened)
}

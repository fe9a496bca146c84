"""What each message's templates may use. The fields are the contract: anything else is an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

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
    tone: Literal["plain", "warm"] = "plain"
    """Of its variant of an experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One more thing that the customer told us."""

    quote: str
    said_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(FollowUpMail):
    """For everything that they told us lately: one mail, however many comments."""

    template: ClassVar = "receipt"

    others: tuple[Told, ...] = ()


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
class ShortMessage:
    """A follow-up as a text message: the ``sms.txt`` beside its mail."""

    template: str
    language: str
    company: str
    quote: str
    url: str
    """To the page that is answered on; where nothing is asked, to the one that stops us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReply:
    """Below a review, for everybody: no name, no quote, no cause."""

    template: ClassVar = "review_reply"
    purposes: ClassVar[tuple[LinkPurpose, ...]] = ()

    language: str
    company: str
    contact: str


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
class TicketAssigned(AlertMail):
    """To the colleague whom somebody else gave the ticket to."""

    template: ClassVar = "ticket_assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEscalated(AlertMail):
    template: ClassVar = "ticket_escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One thing that happened before."""

    on: str
    what: str
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReopened(AlertMail):
    template: ClassVar = "ticket_reopened"

    history: tuple[Past, ...]
    objection: str | None
    refusal: str | None
    """Why an approver did not let the reply leave; then the customer has not said anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWanted:
    """To an approver: a message waits until somebody has read it. It is not quoted here."""

    template: ClassVar = "approval_wanted"
    purposes: ClassVar = (LinkPurpose.APPROVE,)

    language: str
    company: str
    message: int
    what: str
    approve_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReplied:
    """To a ticket's owners: words that only a person can judge."""

    template: ClassVar = "customer_replied"
    purposes: ClassVar = (LinkPurpose.JUDGE,)

    language: str
    company: str
    words: str
    replied_on: str
    quote: str
    told: tuple[str, ...]
    judge_url: str


MailContext = FollowUpMail | AlertMail | ApprovalWanted | CustomerReplied
Context = MailContext | ShortMessage | ReviewReply

FOLLOW_UPS: dict[str, type[FollowUpMail]] = {
    c.template: c for c in (Receipt, Thanks, Resolution, Reminder)
}
ALERTS: dict[str, type[AlertMail | ApprovalWanted | CustomerReplied]] = {
    c.template: c
    for c in (
        TicketOpened,
        TicketAssigned,
        TicketEscalated,
        TicketReopened,
        ApprovalWanted,
        CustomerReplied,
    )
}
TEMPLATES: dict[
    str, type[FollowUpMail | ReviewReply | AlertMail | ApprovalWanted | CustomerReplied]
] = {
    **FOLLOW_UPS,
    **ALERTS,
    ReviewReply.template: ReviewReply,
}
"""Every message that there is, by its name."""

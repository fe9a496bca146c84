"""Messages sorted into piles, the most pressing first, and how one of them is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voc.models import Message, MessageState
from voc.rules.addresses import masked
from voc.rules.contact import Why
from voc.rules.sentences import SENTENCES

Is = MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """Messages that wait, or ended, for the same kind of reason."""

    code: str
    name: str
    means: str
    states: tuple[MessageState, ...]
    reasons: tuple[str, ...] = ()
    of_work: bool = False
    """Only alerts about tickets that are not finished."""
    newest_first: bool = False
    tone: str = "plain"
    timed: str = "Since"
    """What its messages are listed by."""
    none: str
    """What it means that there are none."""


PILES = (
    Pile(
        code="unknown",
        name="In doubt",
        means="The reply of the provider was lost: the message may have arrived or not. It is "
        "never sent again by itself. Find out, and say what became of it.",
        states=(Is.UNKNOWN,),
        tone="bad",
        none="No message is in doubt.",
    ),
    Pile(
        code="abandoned",
        name="Never cleared up",
        means="Nobody found out whether it arrived. If you learn that it did, say so.",
        states=(Is.ABANDONED,),
        newest_first=True,
        tone="warn",
        none="No message was given up while it was in doubt.",
    ),
    Pile(
        code="approval",
        name="Held for approval",
        means="A person has to read it before it leaves.",
        states=(Is.HELD,),
        reasons=(Why.NEEDS_APPROVAL.value,),
        tone="warn",
        none="No message waits for approval.",
    ),
    Pile(
        code="held",
        name="Held",
        means="A person, the kill switch or a restore of the database keeps it from leaving.",
        states=(Is.HELD,),
        reasons=(Why.BY_HAND.value, Why.KILL_SWITCH.value, Why.RESTORED.value),
        tone="warn",
        none="Nobody holds a message.",
    ),
    Pile(
        code="dead",
        name="Given up",
        means="It could not be written or addressed, was refused for good, or was tried too "
        "often. It does not leave any more.",
        states=(Is.DEAD, Is.FAILED),
        newest_first=True,
        tone="bad",
        none="No message was given up.",
    ),
    Pile(
        code="waiting",
        name="Waiting to leave",
        means="It is due at the moment shown, and leaves with the next run after that.",
        states=(Is.QUEUED, Is.PLANNED, Is.CLAIMED, Is.SENDING),
        timed="Due",
        none="Nothing waits to leave.",
    ),
    Pile(
        code="back",
        name="Came back",
        means="The mailbox does not exist or is full, or the customer called it spam.",
        states=(Is.BOUNCED, Is.COMPLAINED),
        newest_first=True,
        tone="warn",
        none="Nothing came back.",
    ),
    Pile(
        code="alerts",
        name="Alerts that did not arrive",
        means="A colleague was not told of a ticket that is not finished. Look at their address in "
        "the company file.",
        states=(Is.DEAD, Is.FAILED, Is.BOUNCED),
        of_work=True,
        newest_first=True,
        tone="warn",
        none="Each alert about a ticket that is not finished has arrived, or will.",
    ),
    Pile(
        code="left",
        name="Sent",
        means="Handed over to the provider; delivered where it told us so.",
        states=(Is.SENT, Is.DELIVERED),
        newest_first=True,
        tone="good",
        none="Nothing has left yet.",
    ),
    Pile(
        code="silent",
        name="Not sent on purpose",
        means="The governor chose silence, it was old news by then, or what it was about changed.",
        states=(Is.SUPPRESSED, Is.EXPIRED, Is.CANCELLED),
        newest_first=True,
        none="No message was kept back for good.",
    ),
    Pile(
        code="held_out",
        name="Held out",
        means="Its customer belongs to the hold-out of an experiment and is not written to.",
        states=(Is.HELD,),
        reasons=(Why.HOLD_OUT.value,),
        none="Nobody is held out.",
    ),
)
BY_CODE = {pile.code: pile for pile in PILES}
TONES = {state: pile.tone for pile in reversed(PILES) for state in pile.states}
KINDS = {
    "receipt": "Receipt",
    "thanks": "Thanks",
    "resolution": "Reply",
    "reminder": "Reminder",
    "review_reply": "Public reply",
    "ticket_opened": "New ticket",
    "ticket_reopened": "Ticket reopened",
    "ticket_escalated": "Ticket escalated",
    "customer_replied": "Reply to judge",
    "approval_wanted": "Approval wanted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message as lists show it."""

    id: int
    what: str
    step: str
    about: str
    href: str | None
    """The page of what it is about."""
    to: str
    channel: str
    state: str
    tone: str
    reason: str
    at: datetime


def row_of(message: Message) -> Row:
    noun, _, number = message.subject.partition(":")
    return Row(
        id=message.id or 0,
        what=KINDS.get(message.template, message.template.replace("_", " ")),
        step=message.step,
        about=f"{noun} {number}",
        href=f"/desk/tickets/{number}" if noun == "ticket" else None,
        to=recipient_of(message),
        channel=message.channel.value,
        state=message.state.value,
        tone=TONES.get(message.state, "plain"),
        reason=in_words(message.reason),
        at=message.settled_at or message.not_before,
    )


def recipient_of(message: Message) -> str:
    """Whom it goes to, as far as lists say it: a number, or an address that nobody could use."""
    if message.address:
        return masked(message.address)
    noun, _, number = message.recipient.partition(":")
    if noun == "customer":
        return f"customer {number}"
    return masked(message.recipient) if "@" in message.recipient else message.recipient


def in_words(reason: str | None) -> str:
    """Why a message is where it is, as a sentence where we have one."""
    if reason is None:
        return ""
    codes = {code.value for code in Why}
    return SENTENCES[Why(reason)] if reason in codes else reason.replace("_", " ")

"""What each entry of a customer's line of time says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from notifications.preview import preview
from voc.company.model import Company
from voc.models import (
    Answer,
    Consent,
    CustomerMerge,
    Feedback,
    Message,
    RatingScale,
    Suppression,
    Ticket,
)
from voc.models import MessageState as Is
from voc.rules.highlight import Piece
from voc.rules.messages import GONE
from voc.store.profile_timeline import Entry, Kind

VERDICTS = {"solved": "solved", "not_solved": "not solved", "unclear": "in words to be judged"}
MESSAGES = {
    "receipt": "Receipt",
    "resolution": "Our answer",
    "reminder": "Reminder",
    "thanks": "Thanks",
    "review_reply": "Public reply",
}
SCALES = {
    RatingScale.NPS: "NPS 0 to 10",
    RatingScale.CSAT: "CSAT 1 to 5",
    RatingScale.CES: "CES 1 to 7, where 1 is best",
    RatingScale.STARS: "of 5 stars",
    RatingScale.TEN: "of 10",
}
PURPOSES = {"follow_up": "mails", "follow_up_sms": "text messages"}
BAD = frozenset({Is.BOUNCED, Is.COMPLAINED, Is.UNKNOWN, Is.FAILED, Is.DEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry: who acted, what happened, and the words of it."""

    at: datetime
    kind: str
    who: str
    """"They" or "we": told by a word and by where it stands, not by colour."""
    title: str = field(repr=False)
    href: str | None = None
    state: str | None = None
    tone: str = "plain"
    facts: tuple[str, ...] = field(default=(), repr=False)
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom entries are put into words: whose names there are, and whose page it is."""

    company: Company
    customer_id: int

    def row(self, entry: Entry) -> Row:
        """The entry as it is shown."""
        return SHOWN[entry.moment.kind](self, entry)


def _said(_reader: Reader, entry: Entry) -> Row:
    row: Feedback = entry.row
    facts = [row.channel.value, row.source, row.touchpoint, row.product]
    rating = f"{row.rating:g}, {SCALES[row.rating_scale]}" if row.rating_scale else None
    if row.reason:
        facts.append(f"filed: {row.reason}")
    return Row(
        at=entry.moment.at,
        kind="feedback",
        who="they",
        title=f"Rated {rating}" if rating else "Said",
        facts=tuple(fact.replace("_", " ") for fact in facts if fact),
        pieces=entry.words or (Piece("No words, or deleted where they came from."),),
        language=entry.language if entry.words else "en",
    )


def _ticket(reader: Reader, entry: Entry) -> Row:
    row: Ticket = entry.row
    facts = [reader.company.department_or_triage(row.department).name, row.topic, row.owner]
    if row.level:
        facts.append(f"escalated to level {row.level}")
    words = (Piece(f"{row.root_cause} {row.action_taken}"),) if row.root_cause else ()
    return Row(
        at=entry.moment.at,
        kind="ticket",
        who="we",
        title=f"Ticket {row.id}",
        href=f"/desk/tickets/{row.id}",
        state=row.state.replace("_", " "),
        tone="warn" if row.state in {"open", "in_progress"} else "good",
        facts=tuple(fact.replace("_", " ") for fact in facts if fact),
        pieces=words,
    )


def _message(reader: Reader, entry: Entry) -> Row:
    row: Message = entry.row
    words = preview(row)
    subject = f": {words.subject}" if words and words.subject else ""
    went = row.state in GONE
    facts = [row.channel.value, row.reason.replace("_", " ") if row.reason and not went else ""]
    return Row(
        at=entry.moment.at,
        kind="message",
        who="we",
        title=f"{MESSAGES.get(row.template, row.template)}{subject}",
        href=f"/desk/customers/{reader.customer_id}/messages/{row.id}",
        state=row.state.replace("_", " "),
        tone="bad" if row.state in BAD else "good" if went else "plain",
        facts=tuple(filter(None, facts)),
    )


def _answer(_reader: Reader, entry: Entry) -> Row:
    row: Answer = entry.row
    facts = [f"by {row.way}", f"{row.rating} of 5" if row.rating else ""]
    return Row(
        at=entry.moment.at,
        kind="answer",
        who="they",
        title="Answered",
        state=VERDICTS[row.verdict.value],
        tone={"solved": "good", "not_solved": "bad"}.get(row.verdict.value, "warn"),
        facts=tuple(filter(None, facts)),
        pieces=(Piece(row.words),) if row.words else (),
    )


def _consent(_reader: Reader, entry: Entry) -> Row:
    row: Consent = entry.row
    return Row(
        at=entry.moment.at,
        kind="consent",
        who="they",
        title=f"{PURPOSES[row.purpose.value].capitalize()}: {row.how}",
        state="agreed" if row.granted else "said no",
        tone="good" if row.granted else "bad",
    )


def _silence(_reader: Reader, entry: Entry) -> Row:
    row: Suppression = entry.row
    reason, how = (each.replace("_", " ") for each in (row.reason, row.how))
    return Row(
        at=row.at, kind="silence", who="we", title=f"Silent at one address: {reason} ({how})"
    )


def _merge(reader: Reader, entry: Entry) -> Row:
    row: CustomerMerge = entry.row
    other = row.merged_id if row.kept_id == reader.customer_id else row.kept_id
    is_undone = entry.moment.kind is Kind.UNMERGE
    return Row(
        at=entry.moment.at,
        kind="merge",
        who="we",
        title=f"Two customers again: {other}" if is_undone else f"Merged with customer {other}",
        facts=(f"by {row.undone_by if is_undone else row.actor}",),
    )


SHOWN: Mapping[Kind, Callable[[Reader, Entry], Row]] = MappingProxyType(
    {
        Kind.FEEDBACK: _said,
        Kind.TICKET: _ticket,
        Kind.MESSAGE: _message,
        Kind.ANSWER: _answer,
        Kind.CONSENT: _consent,
        Kind.SUPPRESSION: _silence,
        Kind.MERGE: _merge,
        Kind.UNMERGE: _merge,
    }
)

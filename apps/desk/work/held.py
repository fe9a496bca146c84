"""One ticket in the hands of a visitor, and everything that its page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from apps.desk.access.gate import Visitor
from apps.desk.access.roles import WORKERS
from apps.desk.desk import Desk, Refusal
from apps.desk.links.owners import STATES
from apps.desk.work.done import Deed, address_of, may, moves_of, version_of
from apps.desk.work.history import Entry, history
from apps.desk.work.rows import NOTHING_LEFT, urgency_of
from apps.desk.work.similar import Similar, similar_to
from voc.actions.loops import LIVE
from voc.actions.ticket_work import colleagues
from voc.company.fitting import TRIAGE
from voc.models import Answer, Loop, LoopState, Ticket, Verdict
from voc.rules.highlight import Piece, excerpt, pieces
from voc.rules.lifecycle import UNFINISHED
from voc.store import comments, ticket_past, ticket_words, tickets
from voc.store.approval import refusals_of
from voc.store.ticket_past import EarlierLoop

EXCERPT = 160
OUTCOMES = {
    "open": "still open",
    "told": "told, no answer yet",
    "could_not_tell": "could not be told",
    "not_actionable": "nothing to do",
    "duplicate": "a duplicate",
}
VERDICTS = {
    Verdict.SOLVED: "solved",
    Verdict.NOT_SOLVED: "not solved",
    Verdict.UNCLEAR: "in words that a person has to judge",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a customer said, cut into what the ticket is about and the rest."""

    said_at: datetime
    channel: str
    rating: str | None
    language: str | None
    pieces: list[Piece] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One promise, and how it stands."""

    name: str
    at: datetime
    urgency: str | None
    """None: it was kept, or broken, and runs no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """An earlier loop of this customer. Of other departments' only that it was there."""

    said_at: datetime
    words: list[Piece] | None = field(repr=False)
    outcome: str
    departments: str
    ticket: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a customer said to our reply."""

    at: datetime
    verdict: str
    is_no: bool
    words: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A ticket as its page shows it."""

    ticket: Ticket
    version: int
    """Of the ticket as it is shown: a form brings it back, and so notices who was faster."""
    newest_comment: int
    """A comment brings it back: sent twice, it is still one."""
    state: str
    department: str
    quotes: list[Quote]
    sentiment: str | None
    offers: list[tuple[str, str, int]]
    """Department, its name, percent."""
    clocks: list[Clock]
    is_late: bool
    """What is late cannot be put off."""
    history: list[Entry]
    answers: list[Answered]
    refusal: str | None
    before: list[Before]
    similar: list[Similar]
    merged: list[int]
    others: list[Ticket]
    """The customer's other unfinished tickets, of which one may be about the same issue."""
    nobody_to_tell: bool
    """Whether it closes at once when it is resolved, and so cannot be taken back."""
    colleagues: dict[str, str]
    departments: list[tuple[str, str, int | None]]
    """Where it may be handed over to: the likeliest first, triage last."""
    may: frozenset[Deed]
    draft: dict[str, str]
    """What stands in the forms."""

    @property
    def may_now(self) -> bool:
        """Whether there is anything to do beside what has a card of its own."""
        return bool(self.may & {Deed.ACCEPT, Deed.SNOOZE, Deed.HAND_OVER, Deed.ASSIGN})

    def to(self, deed: str) -> str:
        """Where the form of a deed goes."""
        return address_of(self.ticket.id or 0, Deed(deed))


def ticket_for(session: Session, ticket_id: int, visitor: Visitor) -> Ticket:
    """A ticket that the visitor sees; that they do is noted.

    Raises:
        Refusal: There is none, or it is another department's.
    """
    ticket = tickets.find(session, ticket_id)
    if ticket is None:
        raise Refusal(404, "not_here")
    visitor.require(ticket.department)
    visitor.saw(f"ticket:{ticket.id}")
    return ticket


def page_of(session: Session, desk: Desk, ticket: Ticket, visitor: Visitor) -> Page:
    """Everything about a ticket, in some twenty queries of one ticket's rows."""
    key, company = ticket.id or 0, desk.company
    owed = tickets.loops_of(session, key)
    loops = [loop.id or 0 for loop in owed]
    works = visitor.role in WORKERS
    events = ticket_past.events_of(session, key, loops)
    written = comments.of_ticket(session, key)
    return Page(
        ticket=ticket,
        version=version_of(moves_of(session, key, Deed.RESOLVE)),
        newest_comment=max((comment.id or 0 for comment in written), default=0),
        state=STATES[ticket.state],
        department=company.department_or_triage(ticket.department).name,
        quotes=_quotes(session, key),
        sentiment=ticket_words.sentiments_of(session, [key]).get(key),
        offers=_offers(desk, ticket),
        clocks=_clocks(ticket, visitor.now),
        is_late=ticket.due_at is not None and ticket.due_at <= visitor.now,
        history=history(events, written, company),
        answers=[_answered(each) for each in ticket_past.answers_to(session, loops)],
        refusal=refusals_of(session, [key]).get(key),
        before=[
            _before(each, desk, visitor)
            for each in ticket_past.earlier_loops(session, ticket.customer_id, loops)
        ],
        similar=similar_to(session, ticket),
        merged=ticket_past.merged_into(session, key),
        others=[
            other
            for other in ticket_past.others_unfinished(session, ticket)
            if visitor.sees(other.department)
        ],
        nobody_to_tell=_is_nobody_told(owed),
        colleagues=colleagues(session, company, ticket.department),
        departments=_departments(desk, ticket),
        may=frozenset(deed for deed in Deed if works and may(ticket, deed)),
        draft={
            "root_cause": ticket.root_cause or "",
            "action_taken": ticket.action_taken or "",
            "department": "",
            "words": "",
        },
    )


def _is_nobody_told(owed: Sequence[Loop]) -> bool:
    states = {loop.state for loop in owed}
    return LoopState.OPEN not in states and not states <= LIVE


def _quotes(session: Session, ticket_id: int) -> list[Quote]:
    said = ticket_words.said_in(session, [ticket_id]).get(ticket_id, [])
    return [
        Quote(
            said_at=each.said_at,
            channel=each.channel.value,
            rating=None if each.rating is None else f"{each.rating:g} ({each.scale})",
            language=each.language,
            pieces=pieces(each.text, each.spans) or [Piece(NOTHING_LEFT)],
        )
        for each in said
    ]


def _offers(desk: Desk, ticket: Ticket) -> list[tuple[str, str, int]]:
    names = {d.id: d.name for d in desk.company.departments}
    return [(str(d), names.get(str(d), str(d)), round(float(p) * 100)) for d, p in ticket.offers]


def _departments(desk: Desk, ticket: Ticket) -> list[tuple[str, str, int | None]]:
    likely = {department: percent for department, _, percent in _offers(desk, ticket)}
    others = [d for d in desk.company.departments if d.id != ticket.department]
    others.sort(key=lambda d: (d.id == TRIAGE, -likely.get(d.id, -1)))
    return [(d.id, d.name, likely.get(d.id)) for d in others]


def _clocks(ticket: Ticket, now: datetime) -> list[Clock]:
    runs = ticket.state in UNFINISHED
    taken = Clock(
        name="To be taken",
        at=ticket.first_response_due_at,
        urgency=urgency_of(ticket.first_response_due_at, now),
    )
    resolved = Clock(
        name="To be resolved",
        at=ticket.resolution_due_at,
        urgency=urgency_of(ticket.resolution_due_at, now) if runs else None,
    )
    return [taken, resolved] if runs and ticket.accepted_at is None else [resolved]


def _answered(answer: Answer) -> Answered:
    return Answered(
        at=answer.at,
        verdict=VERDICTS[answer.verdict],
        is_no=answer.verdict is Verdict.NOT_SOLVED,
        words=answer.words,
    )


def _before(loop: EarlierLoop, desk: Desk, visitor: Visitor) -> Before:
    names = [desk.company.department_or_triage(d).name for d in loop.departments]
    theirs = [
        t
        for t, department in zip(loop.tickets, loop.departments, strict=True)
        if visitor.sees(department)
    ]
    ended = OUTCOMES.get(loop.state) or (loop.reason or "closed").replace("_", " ")
    again = ", after “not solved”" if loop.reopened else ""
    sees = bool(theirs) or (not loop.tickets and visitor.departments is None)
    return Before(
        said_at=loop.said_at,
        words=excerpt(loop.text, (), EXCERPT) if sees else None,
        outcome=ended + again,
        departments=", ".join(dict.fromkeys(names)) or "thanks",
        ticket=theirs[0] if theirs else None,
    )

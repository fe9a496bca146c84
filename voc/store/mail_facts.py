"""What the templates need to know of planned messages, as plain values: no rows in templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    Channel,
    Customer,
    Feedback,
    FeedbackVersion,
    Loop,
    LoopTicket,
    Message,
    MessageState,
    Ticket,
    Verdict,
)
from voc.rules.cloud_events import LedgerEvent
from voc.rules.messages import GONE
from voc.store.approval import refusals_of
from voc.store.merging import Rider, riders_of
from voc.store.past_rounds import Past, Reply, pasts_of, replies_of
from voc.store.ticket_history import quotes_of
from voc.store.webhooks import told_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one department did about one issue of a loop."""

    department: str
    action: str
    cause: str = ""
    """Internal: it is in no message, and what is published is held against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The review that a public reply goes to."""

    source: str
    external_id: str
    said_at: datetime
    stars: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWords:
    """A ticket as its owners read of it."""

    id: int
    department: str
    because: str
    priority: str
    offers: tuple[tuple[str, float], ...]
    level: int
    owner: str | None
    first_response_due_at: datetime
    resolution_due_at: datetime
    quotes: tuple[str, ...] = ()
    objection: str | None = None
    """What the customer wrote with their newest "not solved"."""
    refusal: str | None = None
    """Why an approver did not let the reply leave."""
    past: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """One planned message, and all that its template may say."""

    message: Message = field(repr=False)
    name: str | None = field(repr=False)
    language: str | None
    timezone: str | None
    said_at: datetime | None
    verbatim: str = field(repr=False)
    done: tuple[Done, ...] = field(default=(), repr=False)
    review: Review | None = None
    ticket: TicketWords | None = field(default=None, repr=False)
    thread: str | None = None
    """Message-ID of the first mail about the same subject that this recipient got."""
    reply: Reply | None = None
    riders: tuple[Rider, ...] = ()
    """What it says for messages that were merged into it."""
    event: LedgerEvent | None = None
    """What another program is told of."""


def planned_mails(
    session: Session, low: int, high: int, *, now: datetime, limit: int
) -> list[MailFacts]:
    """The facts of due planned messages with ids from *low* to *high*: twelve queries a batch."""
    rows = session.execute(
        sa.select(Message, Customer, Feedback, FeedbackVersion, Ticket)
        .outerjoin(Customer, col(Customer.id) == Message.customer_id)
        .outerjoin(Loop, col(Loop.id) == Message.loop_id)
        .outerjoin(Feedback, col(Feedback.id) == Loop.feedback_id)
        .outerjoin(
            FeedbackVersion,
            (col(FeedbackVersion.feedback_id) == Feedback.id)
            & (col(FeedbackVersion.number) == Feedback.version),
        )
        .outerjoin(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(
            col(Message.state) == MessageState.PLANNED,
            col(Message.not_before) <= now,
            col(Message.id).between(low, high),
        )
        .order_by(col(Message.id))
        .limit(limit)
    ).all()
    done = _done(session, [row.Message.loop_id for row in rows if row.Message.loop_id])
    tickets = [row.Ticket for row in rows if row.Ticket]
    quotes = quotes_of(session, [ticket.id for ticket in tickets])
    objections = _objections(session, [ticket.id for ticket in tickets])
    refusals = refusals_of(session, [ticket.id for ticket in tickets])
    came_back = [row.Ticket for row in rows if row.Ticket and row.Ticket.round > 1]
    pasts = pasts_of(session, came_back)
    replies = replies_of(session, [row.Message for row in rows])
    threads = _threads(session, [row.Message.subject for row in rows])
    riders = riders_of(session, [row.Message.id for row in rows])
    news = told_of(session, [row.Message for row in rows])
    return [
        MailFacts(
            message=row.Message,
            name=row.Customer and row.Customer.name,
            language=row.Customer and row.Customer.language,
            timezone=row.Customer and row.Customer.timezone,
            said_at=row.Feedback and row.Feedback.said_at,
            verbatim=row.FeedbackVersion.verbatim if row.FeedbackVersion else "",
            done=tuple(done.get(row.Message.loop_id, ())),
            review=row.Feedback and _review(row.Feedback),
            ticket=row.Ticket and _words(row.Ticket, quotes, objections, refusals, pasts),
            reply=replies.get(row.Message.subject),
            thread=threads.get((row.Message.subject, row.Message.recipient)),
            riders=tuple(riders.get(row.Message.id, ())),
            event=news.get(row.Message.id),
        )
        for row in rows
    ]


def _review(piece: Feedback) -> Review | None:
    if piece.channel is not Channel.REVIEW:
        return None
    return Review(
        source=piece.source,
        external_id=piece.external_id,
        said_at=piece.said_at,
        stars=piece.rating,
    )


def _words(
    ticket: Ticket,
    quotes: dict[int, list[str]],
    objections: dict[int, str | None],
    refusals: dict[int, str],
    pasts: dict[int, list[Past]],
) -> TicketWords:
    key = ticket.id or 0
    return TicketWords(
        id=key,
        department=ticket.department,
        because=ticket.because,
        priority=ticket.priority,
        offers=tuple((str(department), float(p)) for department, p in ticket.offers),
        level=ticket.level,
        owner=ticket.owner,
        first_response_due_at=ticket.first_response_due_at,
        resolution_due_at=ticket.resolution_due_at,
        quotes=tuple(quotes.get(key, ())),
        objection=objections.get(key),
        refusal=refusals.get(key),
        past=tuple(pasts.get(key, ())),
    )


def _done(session: Session, loop_ids: Sequence[int]) -> dict[int, list[Done]]:
    """By loop what was done about each of its tickets, in their order."""
    found: dict[int, list[Done]] = {}
    for loop_id, ticket in session.exec(
        select(LoopTicket.loop_id, Ticket)
        .join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
        .where(col(LoopTicket.loop_id).in_(loop_ids))
        .order_by(col(Ticket.id))
    ):
        if ticket.action_taken:
            done = Done(
                department=ticket.department,
                action=ticket.action_taken,
                cause=ticket.root_cause or "",
            )
            found.setdefault(loop_id, []).append(done)
    return found


def _objections(session: Session, ticket_ids: Sequence[int | None]) -> dict[int, str | None]:
    """By ticket the words of the newest "not solved" of any of its loops."""
    rows = session.exec(
        select(LoopTicket.ticket_id, Answer.words)
        .join(Answer, col(Answer.loop_id) == LoopTicket.loop_id)
        .where(col(LoopTicket.ticket_id).in_(ticket_ids), Answer.verdict == Verdict.NOT_SOLVED)
        .order_by(col(Answer.at), col(Answer.id))
    )
    return dict(rows.all())


def _threads(session: Session, subjects: Iterable[str]) -> dict[tuple[str, str], str]:
    """By subject and recipient the Message-ID of the first mail that went."""
    found: dict[tuple[str, str], str] = {}
    for subject, recipient, message_id in session.exec(
        select(Message.subject, Message.recipient, Message.message_id)
        .where(col(Message.subject).in_(sorted(set(subjects))), col(Message.state).in_(GONE))
        .order_by(col(Message.id))
    ):
        if message_id is not None:
            found.setdefault((subject, recipient), message_id)
    return found

"""Opening loops and tickets for what was understood."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from voc.actions import loops
from voc.actions.tickets import alert, reassign, start_clocks
from voc.company.model import TRIAGE, Company
from voc.models import (
    Channel,
    Feedback,
    FeedbackState,
    Loop,
    LoopKind,
    LoopState,
    LoopTicket,
    Statement,
    Ticket,
    TicketEventKind,
)
from voc.rules.provenance import decided
from voc.rules.routing import Decision, Issue, decide
from voc.store import events, messages, routing, tickets
from voc.store.events import Happening
from voc.store.routing import DUPLICATE
from voc.store.touched import touch

EDITED_LATE = "edited_after_the_reply"
DISSOLVED = "its department, {}, left the company file"


def give_strays_to_triage(session: Session, company: Company, *, now: datetime, limit: int) -> int:
    """Hand unfinished tickets whose department left the company file to triage; return how many.

    Safe to repeat. It teaches nothing.
    """
    events.lock_head(session)
    strays = routing.strays(session, [d.id for d in company.departments], limit=limit)
    for ticket_id, department in strays:
        ticket = reassign(session, ticket_id, TRIAGE, company, actor=loops.SYSTEM, now=now)
        ticket.because = DISSOLVED.format(department)
    return len(strays)


def route_pieces(
    session: Session, low: int, high: int, company: Company, *, now: datetime, limit: int
) -> Counter[str]:
    """Route understood feedback with ids from *low* to *high*; count what became of it."""
    events.lock_head(session)
    pieces = routing.understood(session, low, high, limit=limit)
    facts = routing.facts_for(session, pieces)
    severities: dict[str, str] = {topic.id: topic.severity for topic in company.topics}
    counts: Counter[str] = Counter()
    for piece in pieces:
        decision = decide(facts[piece.id or 0], company.routing, severities)
        counts += _apply(session, piece, decision, company, now=now)
    touch(session, [piece.said_at for piece in pieces])
    return counts


def _apply(
    session: Session, piece: Feedback, decision: Decision, company: Company, *, now: datetime
) -> Counter[str]:
    query = select(Loop).where(Loop.feedback_id == piece.id).with_for_update()
    loop = session.exec(query).one_or_none()
    session.add(piece)
    if loop is not None:  # an edit: it joins the loop that there is
        piece.state = FeedbackState.ROUTED
        late = loop.state is not LoopState.OPEN
        what = EDITED_LATE if late else "edited"
        loops.remember_words(session, loop, piece, TicketEventKind.DECIDED, what, now=now)
        if late:
            piece.reason = EDITED_LATE
            return Counter(edits_of_ended_loops=1)
        if decision.issues and loop.kind is LoopKind.THANKS:
            loop.kind = LoopKind.ISSUE  # praise has become a complaint: no thanks for it
            messages.cancel(session, loop_id=loop.id, reason="edited", now=now)
            session.add(loop)
        return _join_edit(session, loop, decision, company, now=now)
    if decision.issues and (twin := routing.twin_loop(session, piece)) is not None:
        kind, detail = TicketEventKind.DECIDED, f"{DUPLICATE}={piece.id}"
        same = Happening(kind=kind, loop_id=twin.id, detail=detail)
        events.append(session, [same], actor=loops.SYSTEM, now=now)
        piece.state, piece.reason = FeedbackState.FILED, DUPLICATE
        return Counter(duplicates=1)
    if decision.issues:
        piece.state = FeedbackState.ROUTED
        return _open(session, piece, decision, company, now=now)
    if decision.thanks and company.follow_up.thanks:
        piece.state = FeedbackState.ROUTED
        thanks = loops.open_loop(session, piece, LoopKind.THANKS, now=now)
        loops.plan_follow_up(session, thanks, "thanks", now=now)
        return Counter(thanks=1)
    piece.state, piece.reason = FeedbackState.FILED, decision.filed or "nothing_to_do"
    return Counter(filed=1)


def _open(
    session: Session, piece: Feedback, decision: Decision, company: Company, *, now: datetime
) -> Counter[str]:
    counts = Counter(loops=1)
    loop = loops.open_loop(session, piece, LoopKind.ISSUE, now=now)
    for issue in decision.issues:
        counts[_ticket_for(session, loop, issue, company, now=now)] += 1
    if company.follow_up.receipt:
        loops.plan_follow_up(session, loop, "receipt", now=now)
    if company.follow_up.review_replies and has_console(piece, company):
        loops.plan_review_reply(session, loop, now=now)
    return counts


def has_console(piece: Feedback, company: Company) -> bool:
    """Whether it is a review whose source names where public replies to it go."""
    source = next((s for s in company.sources if s.id == piece.source), None)
    return piece.channel is Channel.REVIEW and getattr(source, "console", None) is not None


def _join_edit(
    session: Session, loop: Loop, decision: Decision, company: Company, *, now: datetime
) -> Counter[str]:
    """The edited words may name another department; the tickets it waits for speak of them now."""
    counts: Counter[str] = Counter(edits_joined=1)
    waiting = {ticket.department: ticket for ticket in tickets.tickets_of(session, loop.id or 0)}
    for issue in decision.issues:
        if ticket := waiting.get(issue.department):
            _say_of(session, ticket, issue)
            why = _decided(loop, ticket, issue)
            events.append(session, [why], actor=loops.SYSTEM, now=now)
        else:
            loops.await_new_ticket(session, loop)
            counts[_ticket_for(session, loop, issue, company, now=now)] += 1
    return counts


def _say_of(session: Session, ticket: Ticket, issue: Issue) -> None:
    """The issue's statements are what the ticket is about."""
    session.exec(
        update(Statement)
        .where(col(Statement.id).in_(issue.statement_ids))
        .values(ticket_id=ticket.id)
    )


def _ticket_for(
    session: Session, loop: Loop, issue: Issue, company: Company, *, now: datetime
) -> str:
    """Open a ticket for the issue, or join the open one of the same customer's same issue."""
    ticket = routing.ticket_to_join(session, loop.customer_id, issue.department, issue.topic)
    kind = TicketEventKind.OPENED if ticket is None else TicketEventKind.JOINED
    if ticket is None:
        ticket = _new_ticket(session, loop, issue, company, now=now)
    ticket.snoozed_until = None
    session.add(LoopTicket(loop_id=loop.id or 0, ticket_id=ticket.id or 0))
    _say_of(session, ticket, issue)
    happened = Happening(kind=kind, ticket_id=ticket.id, loop_id=loop.id, detail=issue.department)
    why = _decided(loop, ticket, issue)
    events.append(session, [why, happened], actor=loops.SYSTEM, now=now)
    return "tickets" if kind is TicketEventKind.OPENED else "joined"


def _decided(loop: Loop, ticket: Ticket, issue: Issue) -> Happening:
    return Happening(
        kind=TicketEventKind.DECIDED,
        ticket_id=ticket.id,
        loop_id=loop.id,
        detail=decided(issue),
    )


def _new_ticket(
    session: Session, loop: Loop, issue: Issue, company: Company, *, now: datetime
) -> Ticket:
    department = company.department_or_triage(issue.department)
    ticket = Ticket(
        customer_id=loop.customer_id,
        department=department.id,
        topic=issue.topic,
        because=issue.because[:255],
        offers=issue.offers,
        priority=issue.priority,
        opened_at=now,
        first_response_due_at=now,
        resolution_due_at=now,
    )
    start_clocks(ticket, department, now=now)
    session.add(ticket)
    session.flush()
    owners, rooms = department.owners, department.alerts
    alert(session, ticket, "ticket_opened", "opened.1", owners, rooms=rooms, now=now)
    return ticket

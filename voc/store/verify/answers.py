"""Answers: each is in the ledger as it was said, and nothing was reopened or solved without."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from sqlmodel import Session, col, select

from voc.models import Answer, Loop, TicketEvent, TicketEventKind, Verdict
from voc.rules.books import Finding
from voc.rules.provenance import answered
from voc.store.verify.since import since


def answers_follow_their_events(session: Session) -> Finding | None:
    """A loop's answers are those that the ledger saw coming in, in that order."""
    if (start := since(session)) is None:
        return None
    name = "answers follow their events"
    rows = session.exec(
        select(Answer)
        .join(Loop, col(Loop.id) == Answer.loop_id)
        .where(col(Loop.opened_at) >= start)
        .order_by(col(Answer.loop_id), col(Answer.id))
    )
    said = {loop_id: list(answers) for loop_id, answers in groupby(rows, lambda a: a.loop_id)}
    for loop_id, told in _heard(session, start):
        theirs = said.pop(loop_id, [])
        for answer, event in zip(theirs, told, strict=False):
            verdict = Verdict.UNCLEAR if answer.judged_by else answer.verdict
            if answered(verdict, answer.way, answer.round) != event.detail:
                problem = f"is not what the ledger heard: {event.detail}"
                return Finding(name, f"answer {answer.id}", problem)
        if len(theirs) < len(told):
            lost = told[len(theirs)].id
            return Finding(name, f"ticketevent {lost}", f"its answer to loop {loop_id} is gone")
        if len(theirs) > len(told):
            return Finding(name, f"answer {theirs[len(told)].id}", "came in past the ledger")
    if said:
        return Finding(name, f"answer {said[min(said)][0].id}", "came in past the ledger")
    return None


def customers_decide_about_their_loops(session: Session) -> Finding | None:
    """A loop is reopened or called solved only after the customer said so."""
    if (start := since(session)) is None:
        return None
    rows = session.exec(
        select(TicketEvent)
        .join(Loop, col(Loop.id) == TicketEvent.loop_id)
        .where(
            col(Loop.opened_at) >= start,
            col(TicketEvent.kind).in_(
                [
                    TicketEventKind.ANSWERED,
                    TicketEventKind.JUDGED,
                    TicketEventKind.LOOP_REOPENED,
                    TicketEventKind.LOOP_CLOSED,
                ]
            ),
        )
        .order_by(col(TicketEvent.loop_id), col(TicketEvent.id))
    )
    for loop_id, events in groupby(rows, lambda event: event.loop_id):
        heard: set[str] = set()
        for event in events:
            needed = _needs(event)
            if needed is None:
                heard.add(event.detail.partition(" ")[0])
            elif needed and needed not in heard:
                problem = f"changes loop {loop_id}, and the customer had not said {needed}"
                return Finding(
                    "customers decide about their loops", f"ticketevent {event.id}", problem
                )
            if event.kind is TicketEventKind.LOOP_REOPENED:
                heard.clear()
    return None


def _needs(event: TicketEvent) -> str | None:
    """The verdict that must have come before; "" if none, None of a verdict itself."""
    if event.kind in {TicketEventKind.ANSWERED, TicketEventKind.JUDGED}:
        return None
    if event.kind is TicketEventKind.LOOP_REOPENED:
        return Verdict.NOT_SOLVED.value
    return Verdict.SOLVED.value if event.detail == Verdict.SOLVED else ""


def _heard(session: Session, start: datetime) -> list[tuple[int, list[TicketEvent]]]:
    """By loop what the ledger heard of it."""
    rows = session.exec(
        select(TicketEvent)
        .join(Loop, col(Loop.id) == TicketEvent.loop_id)
        .where(TicketEvent.kind == TicketEventKind.ANSWERED, col(Loop.opened_at) >= start)
        .order_by(col(TicketEvent.loop_id), col(TicketEvent.id))
    )
    return [(key or 0, list(events)) for key, events in groupby(rows, lambda e: e.loop_id)]

"""Answers: each is in the ledger as it was said, and nothing was reopened or solved without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    for loop_id, heard in _heard(session, start):
        theirs = said.pop(loop_id, [])
        if found := _told_otherwise(theirs, heard) or _judged_otherwise(theirs, heard):
            return Finding(name, *found)
    if said:
        return Finding(name, f"answer {said[min(said)][0].id}", "came in past the ledger")
    return None


def _told_otherwise(
    answers: Sequence[Answer], heard: Sequence[TicketEvent]
) -> tuple[str, str] | None:
    """A row and its problem if the answers are not those that came in."""
    told = [event for event in heard if event.kind is TicketEventKind.ANSWERED]
    for answer, event in zip(answers, told, strict=False):
        verdict = Verdict.UNCLEAR if answer.judged_by else answer.verdict
        if answered(verdict, answer.way, answer.round) != event.detail:
            return f"answer {answer.id}", f"is not what the ledger heard: {event.detail}"
    if len(answers) < len(told):
        lost = told[len(answers)]
        return f"ticketevent {lost.id}", f"its answer to loop {lost.loop_id} is gone"
    if len(answers) > len(told):
        return f"answer {answers[len(told)].id}", "came in past the ledger"
    return None


def _judged_otherwise(
    answers: Sequence[Answer], heard: Sequence[TicketEvent]
) -> tuple[str, str] | None:
    """A row and its problem if people judged otherwise than the answers say.

    The ledger does not say which answer was judged: how often each verdict was given decides.
    """
    judgements = [event for event in heard if event.kind is TicketEventKind.JUDGED]
    judged = Counter(answer.verdict.value for answer in answers if answer.judged_by)
    judged.subtract(event.detail for event in judgements)
    for answer in answers:
        if answer.judged_by and judged[answer.verdict.value] > 0:
            return f"answer {answer.id}", "was judged past the ledger"
    for event in judgements:
        if judged[event.detail] < 0:
            return f"ticketevent {event.id}", "no answer was judged so any more"
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
    """By loop what the ledger heard of it: answers, and judgements of unclear ones."""
    rows = session.exec(
        select(TicketEvent)
        .join(Loop, col(Loop.id) == TicketEvent.loop_id)
        .where(
            col(TicketEvent.kind).in_([TicketEventKind.ANSWERED, TicketEventKind.JUDGED]),
            col(Loop.opened_at) >= start,
        )
        .order_by(col(TicketEvent.loop_id), col(TicketEvent.id))
    )
    return [(key or 0, list(events)) for key, events in groupby(rows, lambda e: e.loop_id)]

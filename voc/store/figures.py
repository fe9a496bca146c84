"""Counting weeks, and keeping what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy import ColumnElement, delete, func, or_
from sqlmodel import Session, col, select

from voc.models import (
    AssignmentState,
    Customer,
    DepartmentFigures,
    Feedback,
    FeedbackVersion,
    FiguresState,
    Label,
    Loop,
    Statement,
    Suggestion,
    SuggestionKind,
    ThemeAssignment,
    Ticket,
    TicketEvent,
    TouchedDay,
    WeekFigures,
)
from voc.rules.cases import week_of
from voc.rules.lifecycle import UNFINISHED
from voc.rules.weeks import (
    UNSURE,
    Cell,
    LoopPart,
    Piece,
    TicketPart,
    cell_of,
    count_piece,
    count_ticket,
    rolled_up,
    span_of,
    weeks_of_day,
)
from voc.store import events
from voc.store.upsert import insert_new, table_of

NEGATIVE = "negative"
AT_ONCE = 1_000
Counts = dict[Cell, Counter[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The rows of one week, as they were counted."""

    week: str
    cells: list[dict[str, object]]
    departments: list[dict[str, object]]


def locked_state(session: Session, timezone: str) -> FiguresState:
    """How far the figures go, held until the transaction ends. Made if there are none yet."""
    row = {"id": 1, "turn": 0, "timezone": timezone, "counted_at": None, "events": 0}
    insert_new(session, FiguresState, [row])
    query = select(FiguresState).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def touched(session: Session) -> list[TouchedDay]:
    """The days whose feedback has changed."""
    return list(session.exec(select(TouchedDay)))


def forget_touched(session: Session, days: Sequence[TouchedDay]) -> None:
    """Those were counted. Others may have come meanwhile."""
    table = table_of(TouchedDay)
    ids = [day.id for day in days]
    for start in range(0, len(ids), AT_ONCE):
        some = table.c.id.in_(ids[start : start + AT_ONCE])
        session.connection().execute(delete(table).where(some))


def weeks_since(
    session: Session, state: FiguresState, zone: tzinfo, *, until: int, now: datetime
) -> set[str]:
    """The weeks in which something has changed since *state*: events, promises that fell due.

    Args:
        until: The newest event that counts.
    """
    new = col(TicketEvent.id).between(state.events + 1, until)
    loops = select(TicketEvent.loop_id).where(new)
    said = select(Feedback.said_at).join(Loop).where(col(Loop.id).in_(loops))
    tickets = select(TicketEvent.ticket_id).where(new)
    opened = select(Ticket.opened_at).where(col(Ticket.id).in_(tickets))
    late = select(Ticket.opened_at).where(fell_due(state.counted_at or now, now))
    moments = [moment for query in (said, opened, late) for moment in session.exec(query)]
    return {week_of(moment, zone) for moment in moments}


def fell_due(since: datetime, now: datetime) -> ColumnElement[bool]:
    """Of which tickets a promise was broken in this time, by time alone."""
    response, resolution = col(Ticket.first_response_due_at), col(Ticket.resolution_due_at)
    not_taken = col(Ticket.accepted_at).is_(None)
    return col(Ticket.state).in_(UNFINISHED) & or_(
        not_taken & (response >= since) & (response < now),
        (resolution >= since) & (resolution < now),
    )


def has_new(session: Session, state: FiguresState, now: datetime) -> bool:
    """Whether anything has changed since *state*: loops and tickets, feedback, promises."""
    if events.newest(session) > state.events:
        return True
    changed = select(TouchedDay.id).exists()
    late = select(Ticket.id).where(fell_due(state.counted_at or now, now)).exists()
    return bool(session.exec(select(changed | late)).one())


def weeks_of_days(days: Collection[TouchedDay], zone: tzinfo) -> set[str]:
    """The weeks that these days are part of."""
    return {week for day in {each.day for each in days} for week in weeks_of_day(day, zone)}


def every_week(session: Session, zone: tzinfo) -> set[str]:
    """All weeks of which there is something: feedback, tickets, or figures. By leaps."""
    weeks = {*session.exec(select(WeekFigures.week).distinct())}
    weeks |= {*session.exec(select(DepartmentFigures.week).distinct())}
    for moment in (col(Feedback.said_at), col(Ticket.opened_at)):
        found = session.exec(select(func.min(moment))).one()
        while found is not None:
            weeks.add(week := week_of(found, zone))
            _, end = span_of(week, zone)
            found = session.exec(select(func.min(moment)).where(moment >= end)).one()
    return weeks


def count_week(session: Session, week: str, zone: tzinfo, *, now: datetime) -> Counted:
    """Count the week anew, at one moment: call it in `reading`."""
    span = span_of(week, zone)
    counts, themes = _cells(session, span)
    counts, themes = rolled_up(counts), rolled_up(themes)
    cells: list[dict[str, object]] = [
        {
            "week": week,
            "channel": channel,
            "touchpoint": touchpoint,
            "product": product,
            "segment": segment,
            "counts": dict(+counted),
            "themes": dict(+themes.get((channel, touchpoint, product, segment), Counter())),
        }
        for (channel, touchpoint, product, segment), counted in counts.items()
    ]
    departments = _department_rows(session, week, span, now)
    return Counted(week=week, cells=cells, departments=departments)


def keep_week(session: Session, counted: Counted) -> None:
    """Let these rows stand for their week."""
    for table, rows in ((WeekFigures, counted.cells), (DepartmentFigures, counted.departments)):
        session.exec(delete(table).where(col(table.week) == counted.week))
        insert_new(session, table, rows)


def _cells(session: Session, span: tuple[datetime, datetime]) -> tuple[Counts, Counts]:
    """The finest cells of the feedback that was said in *span*: its counts, and its themes."""
    said = _within(Feedback.said_at, span)
    cells: dict[int | None, Cell] = {}
    counts: Counts = {}
    for key, cell, piece in _pieces(session, said):
        cells[key] = cell
        counted = counts.setdefault(cell, Counter())
        for name, n in count_piece(piece):
            counted[name] += n
    themes: Counts = {}
    felt = _felt(session, said)
    for feedback_id, value in felt.values():
        counts[cells[feedback_id]][f"sentiment:{value or UNSURE}"] += 1
    for statement_id, theme_id in _placed(session, said):
        if statement_id in felt:
            feedback_id, value = felt[statement_id]
            counted = themes.setdefault(cells[feedback_id], Counter())
            counted[f"{theme_id}"] += 1
            counted[f"{theme_id}:{NEGATIVE}"] += value == NEGATIVE
    return counts, themes


def _within(moment: datetime, span: tuple[datetime, datetime]) -> ColumnElement[bool]:
    begin, end = span
    return (col(moment) >= begin) & (col(moment) < end)


def _pieces(session: Session, said: ColumnElement[bool]) -> Iterator[tuple[int, Cell, Piece]]:
    """Plain columns: making objects of ten thousand rows would take longer than reading them."""
    of_feedback = ("id", "state", "said_at", "rating", "rating_scale")
    of_cell = ("channel", "touchpoint", "product")
    of_loop = ("kind", "state", "reason", "reopened", "first_told_at", "closed_at")
    rows = session.execute(
        sa.select(
            *(getattr(Feedback, name) for name in (*of_feedback, *of_cell)),
            col(Customer.segment),
            *(getattr(Loop, name) for name in of_loop),
        )
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .join(Loop, col(Loop.feedback_id) == Feedback.id, isouter=True)
        .where(said)
    )
    for key, state, said_at, rating, scale, *rest in rows:
        cell, loop = cell_of(*rest[:4]), dict(zip(of_loop, rest[4:], strict=True))
        yield (
            key,
            cell,
            Piece(
                state=state,
                said_at=said_at,
                rating=rating,
                scale=scale,
                loop=LoopPart(**loop) if loop["state"] else None,
            ),
        )


def _felt(session: Session, said: ColumnElement[bool]) -> dict[int, tuple[int, str | None]]:
    """By statement of the newest words: its feedback, and how it feels. A label wins."""
    found: dict[int, tuple[int, str | None]] = {}
    current = (col(FeedbackVersion.feedback_id) == Feedback.id) & (
        col(FeedbackVersion.number) == Feedback.version
    )
    for table in (Suggestion, Label):  # the newest holds
        about = (col(table.statement_id) == Statement.id) & (
            col(table.kind) == SuggestionKind.SENTIMENT
        )
        rows = session.exec(
            select(col(Statement.id), col(Feedback.id), col(table.value))
            .select_from(Feedback)
            .join(FeedbackVersion, current)
            .join(Statement, col(Statement.version_id) == FeedbackVersion.id)
            .join(table, about, isouter=table is Suggestion)
            .where(said)
            .order_by(col(table.id))
        )
        found |= {key or 0: (feedback_id or 0, value) for key, feedback_id, value in rows}
    return found


def _placed(session: Session, said: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    rows = session.exec(
        select(col(ThemeAssignment.statement_id), col(ThemeAssignment.theme_id))
        .select_from(Feedback)
        .join(FeedbackVersion, col(FeedbackVersion.feedback_id) == Feedback.id)
        .join(Statement, col(Statement.version_id) == FeedbackVersion.id)
        .join(ThemeAssignment, col(ThemeAssignment.statement_id) == Statement.id)
        .where(said, ThemeAssignment.state == AssignmentState.ASSIGNED)
    )
    return list(rows)


def _department_rows(
    session: Session, week: str, span: tuple[datetime, datetime], now: datetime
) -> list[dict[str, object]]:
    found: dict[str, Counter[str]] = {}
    opened = _within(Ticket.opened_at, span)
    for ticket in session.exec(select(Ticket).where(opened, col(Ticket.merged_into_id).is_(None))):
        counted = found.setdefault(ticket.department, Counter())
        part = TicketPart(
            state=ticket.state,
            hand=ticket.hand,
            reopened_hand=ticket.reopened_hand,
            first_response_due_at=ticket.first_response_due_at,
            resolution_due_at=ticket.resolution_due_at,
            accepted_at=ticket.accepted_at,
            resolved_at=ticket.resolved_at,
        )
        for name, n in count_ticket(part, now):
            counted[name] += n
    return [
        {"week": week, "department": department, "counts": dict(+counted)}
        for department, counted in sorted(found.items())
    ]

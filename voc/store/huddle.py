"""What a department talks about in its weekly huddle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import (
    Answer,
    AssignmentState,
    FeedbackVersion,
    LoopTicket,
    Statement,
    Suggestion,
    SuggestionKind,
    Theme,
    ThemeAssignment,
    Ticket,
    Verdict,
)
from voc.store.queue import START

WEEKS_BEFORE = 4
SHORTEST = 30
"""Letters of a statement that is worth reading aloud."""
LATE, LOOKED_AT, RISING = 5, 30, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One department, and a span of time."""

    department: str
    begin: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> list[ColumnElement[bool]]:
        """That a column's moment lies in it, and the ticket is the department's."""
        at = col(moment)
        return [col(Ticket.department) == self.department, at >= self.begin, at < self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A root cause, how often it was named, and what was done the last time."""

    words: str = field(repr=False)
    tickets: int
    action: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rising:
    """A theme that more customers speak of than before."""

    theme_id: int
    name: str
    now: int
    before: float
    """A week, on average of the weeks before."""


def came_in(session: Session, week: Week) -> list[tuple[str | None, int]]:
    """By topic how many tickets were opened, the most first."""
    query = select(Ticket.topic, func.count()).where(*week.holds(Ticket.opened_at))
    counts = session.execute(query.group_by(col(Ticket.topic))).all()
    return sorted(((t, n) for t, n in counts), key=lambda pair: (-pair[1], pair[0] or ""))


def causes(session: Session, week: Week) -> list[Cause]:
    """Why tickets that were resolved had come up, the most frequent first."""
    rows = session.exec(
        select(Ticket).where(*week.holds(Ticket.resolved_at)).order_by(col(Ticket.resolved_at))
    ).all()
    counts = Counter(_key(ticket) for ticket in rows)
    newest = {_key(ticket): ticket for ticket in rows}
    return [
        Cause(words=newest[key].root_cause or "", tickets=n, action=newest[key].action_taken or "")
        for key, n in counts.most_common()
    ]


def _key(ticket: Ticket) -> str:
    return " ".join((ticket.root_cause or "").casefold().split()).rstrip(".!")


def late(session: Session, department: str, now: datetime) -> tuple[int, list[Ticket]]:
    """How many unfinished tickets have missed a promise, and those that wait longest."""
    due = col(Ticket.due_at)
    missed = (col(Ticket.department) == department, due >= START, due < now)
    n = session.exec(select(func.count()).select_from(Ticket).where(*missed)).one()
    rows = session.exec(select(Ticket).where(*missed).order_by(due, col(Ticket.id)).limit(LATE))
    return n, list(rows)


def verbatims(session: Session, week: Week, *, limit: int) -> list[str]:
    """What was said most clearly of what is wrong: one statement of a ticket."""
    rows = session.execute(
        select(Ticket.id, FeedbackVersion.verbatim, Statement.start, Statement.end)
        .join(Statement, col(Statement.ticket_id) == Ticket.id)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .join(Suggestion, col(Suggestion.statement_id) == Statement.id)
        .where(
            *week.holds(Ticket.opened_at),
            col(Suggestion.kind) == SuggestionKind.SENTIMENT,
            col(Suggestion.value) == "negative",
            col(Statement.end) - col(Statement.start) >= SHORTEST,
        )
        .order_by(col(Suggestion.probability).desc(), col(Statement.id))
        .limit(LOOKED_AT)
    ).all()
    chosen: dict[int, str] = {}
    for ticket_id, text, start, end in rows:
        if text[start:end].strip():
            chosen.setdefault(ticket_id, text[start:end].strip())
    return list(dict.fromkeys(chosen.values()))[:limit]


def answers(session: Session, week: Week) -> tuple[Counter[Verdict], list[str]]:
    """What customers said to our replies: how many of each kind, and the words of every "no"."""
    theirs = (
        select(LoopTicket.loop_id)
        .join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
        .where(
            col(LoopTicket.loop_id) == Answer.loop_id,
            col(Ticket.department) == week.department,
        )
    )
    rows = session.exec(
        select(Answer)
        .where(col(Answer.at) >= week.begin, col(Answer.at) < week.end, theirs.exists())
        .order_by(col(Answer.at), col(Answer.id))
    ).all()
    words = [a.words for a in rows if a.verdict is Verdict.NOT_SOLVED and a.words]
    return Counter(answer.verdict for answer in rows), words


def rising(session: Session, week: Week) -> list[Rising]:
    """Themes that the department's new tickets are about more often than in the weeks before."""
    before = Week(
        department=week.department,
        begin=week.begin - timedelta(weeks=WEEKS_BEFORE),
        end=week.begin,
    )
    now_counts, then_counts = _themes(session, week), _themes(session, before)
    names = _names(session, list(now_counts))
    found = [
        Rising(theme_id=theme, name=names[theme], now=n, before=then_counts[theme] / WEEKS_BEFORE)
        for theme, n in now_counts.items()
        if n > 1 and n > then_counts[theme] / WEEKS_BEFORE
    ]
    return sorted(found, key=lambda each: (each.before - each.now, each.theme_id))[:RISING]


def _themes(session: Session, week: Week) -> Counter[int]:
    """By theme the tickets."""
    is_assigned = unindexed(ThemeAssignment.state) == AssignmentState.ASSIGNED
    rows = session.execute(
        select(ThemeAssignment.theme_id, Ticket.id)
        .join(Statement, col(Statement.id) == ThemeAssignment.statement_id)
        .join(Ticket, col(Ticket.id) == Statement.ticket_id)
        .where(*week.holds(Ticket.opened_at), is_assigned)
    )
    return Counter(theme or 0 for theme, _ in {(theme, ticket) for theme, ticket in rows})


def _names(session: Session, themes: Sequence[int]) -> dict[int, str]:
    rows = session.exec(select(Theme).where(col(Theme.id).in_(themes)))
    return {theme.id or 0: theme.name or ", ".join(theme.words[:3]) for theme in rows}

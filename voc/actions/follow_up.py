"""What falls due by itself: reminders to customers, escalations of late tickets."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from voc.actions import loops
from voc.actions.tickets import escalate
from voc.company.model import Company
from voc.store import loops as loop_store
from voc.store import tickets
from voc.store.events import lock_head


def plan_reminders(session: Session, company: Company, *, now: datetime) -> int:
    """Remind customers once a round, when they were told and have not answered."""
    lock_head(session)
    since = now - timedelta(days=company.follow_up.reminder_after_days)
    return sum(
        loops.plan_follow_up(session, loop, "reminder", now=now)
        for loop in loop_store.to_remind(session, since)
    )


def escalate_late(session: Session, company: Company, *, now: datetime) -> int:
    """Raise every late ticket that may rise now, one level. Returns how many did."""
    lock_head(session)
    late = tickets.to_escalate(session, company, now)
    for ticket in late:
        escalate(session, ticket, company, now=now)
    return len(late)

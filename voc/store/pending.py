"""What each stage has to do now. An empty run starts no stage."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.company.model import Company
from voc.models import Answer, FeedbackState, Message, MessageState
from voc.rules.contact import Why
from voc.store import loops, routing, tickets
from voc.store.feedback import span_in_state

WAITING = (MessageState.PLANNED, MessageState.QUEUED)
IN_FLIGHT = (MessageState.CLAIMED, MessageState.SENDING)


def pending(
    session: Session, stage: str, company: Company, *, kill_switch: bool, now: datetime
) -> int:
    """How many things wait for *stage*; 0 means that it need not start.

    Time makes work, too: reminders and escalations that fall due, customers who stayed silent.
    """
    policy = company.follow_up
    if stage == "understand":
        return span_in_state(session, FeedbackState.COLLECTED)[2]
    if stage == "route":
        strays = routing.strays(session, [d.id for d in company.departments])
        return span_in_state(session, FeedbackState.UNDERSTOOD)[2] + len(strays)
    if stage == "follow_up":
        remind = now - timedelta(days=policy.reminder_after_days)
        return (
            _messages(session, now)
            + (0 if kill_switch else _held(session))
            + len(tickets.to_escalate(session, company, now))
            + len(loops.to_remind(session, remind))
        )
    silent = now - timedelta(days=policy.close_silent_after_days)
    return (
        _answers(session, now) + len(loops.silent(session, silent)) + len(loops.untellable(session))
    )


def _messages(session: Session, now: datetime) -> int:
    """Messages that are due, or that somebody had in hand."""
    due = col(Message.state).in_(WAITING) & (col(Message.not_before) <= now)
    query = select(func.count()).where(due | col(Message.state).in_(IN_FLIGHT))
    return session.exec(query).one()


def _held(session: Session) -> int:
    """What the kill switch held back: it goes on when the switch is gone."""
    held = (Message.state == MessageState.HELD, Message.reason == Why.KILL_SWITCH)
    return session.exec(select(func.count()).where(*held)).one()


def _answers(session: Session, now: datetime) -> int:
    waiting = (col(Answer.applied_at).is_(None), col(Answer.at) <= now)
    return session.exec(select(func.count()).where(*waiting)).one()

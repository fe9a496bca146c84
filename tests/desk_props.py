"""What happens now and then, put into a company's books: each page has something to show."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from tasks.measure import count_weeks
from tests.story import Story
from voc.actions.customer_merges import merge
from voc.models import (
    Answer,
    Customer,
    Feedback,
    Loop,
    LoopState,
    Message,
    MessageState,
    Statement,
    Theme,
    ThemeAssignment,
    Ticket,
    Verdict,
)
from voc.models.themes import AssignmentState
from voc.rules.contact import Why
from voc.store.database import transaction
from voc.store.touched import touch_feedback


def happen(story: Story) -> list[str]:
    """Put it there; addresses that only a form leads to."""
    with transaction(story.place.engine) as session:
        _doubt_and_wait(session)
        _an_unclear_reply(session, story)
        _a_theme(session, story)
        _, _, *others = session.exec(select(Customer.id).order_by(col(Customer.id))).all()
        first, second, third = others[:3]
        merge(session, second or 0, into=first or 0, actor="cx@marlowfinch.example", now=story.now)
        one, other = _two_of_one_customer(session)
        touch_feedback(session, col(Feedback.id) > 0)
    count_weeks.fn(story.now)
    return [
        f"/desk/customers/{first}",
        f"/desk/customers/{first}/merge/{third}",
        f"/desk/tickets/{one}/merge?into={other}",
    ]


def _doubt_and_wait(session: Session) -> None:
    """The reply to one message was lost; another waits until somebody has read it."""
    sent = select(Message).where(
        Message.template == "resolution", Message.state == MessageState.SENT
    )
    lost, waits = session.exec(sent.order_by(col(Message.id)).limit(2)).all()
    lost.state, lost.reason = MessageState.UNKNOWN, "the connection broke"
    waits.state, waits.reason = MessageState.HELD, Why.NEEDS_APPROVAL.value
    waits.needs_approval = True


def _an_unclear_reply(session: Session, story: Story) -> None:
    told = session.exec(select(Loop).where(Loop.state == LoopState.TOLD)).first()
    assert told is not None
    words = "Well, that depends on how you look at it."
    answer = Answer(
        loop_id=told.id or 0,
        round=told.round,
        verdict=Verdict.UNCLEAR,
        words=words,
        at=story.now,
    )
    session.add(answer)


def _a_theme(session: Session, story: Story) -> None:
    statements = session.exec(select(Statement.id).order_by(col(Statement.id)).limit(15)).all()
    theme = Theme(
        words=["parcel", "late", "courier"],
        model="fake-1",
        centroid=b"",
        cut=0.5,
        size=len(statements),
        born_at=story.now,
    )
    session.add(theme)
    session.flush()
    for statement in statements:
        session.merge(
            ThemeAssignment(
                statement_id=statement or 0,
                state=AssignmentState.ASSIGNED,
                theme_id=theme.id,
                similarity=0.9,
            )
        )


def _two_of_one_customer(session: Session) -> tuple[int, int]:
    """Two open tickets of the same customer."""
    is_open = Ticket.state == "open"
    twice = select(Ticket.customer_id).where(is_open).group_by(col(Ticket.customer_id))
    twice = twice.having(func.count() > 1).limit(1)
    one, other, *_ = session.exec(
        select(Ticket.id).where(is_open, col(Ticket.customer_id).in_(twice)).order_by(Ticket.id)
    ).all()
    return one or 0, other or 0

"""Erasing what was derived from words that are gone at their source."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from voc.actions import loops
from voc.models import (
    Answer,
    Embedding,
    Feedback,
    FeedbackState,
    FeedbackVersion,
    LabelledText,
    Loop,
    LoopTicket,
    Message,
    MessageState,
    Statement,
)
from voc.rules.contact import Why
from voc.store import comments, messages, routing, themes
from voc.store.events import lock_head
from voc.store.touched import touch

DELETED_AT_SOURCE = "deleted_at_source"
NOT_HANDED_OVER = frozenset({MessageState.QUEUED, MessageState.CLAIMED})
LET_GO_OF = frozenset({Why.KILL_SWITCH, Why.RESTORED, Why.NEEDS_APPROVAL})
"""Why a message is held that may leave later: not because a person, or the draw, stopped it."""


def erase_feedback(session: Session, feedback: Feedback, *, now: datetime) -> bool:
    """Erase a piece's words and all that was read from them; True if there was something.

    The row stays without words, so that the item does not come back and the books balance.
    Its loop ends; the event chain holds no words and stays valid.
    """
    lock_head(session)  # whoever opens its loop just now does so before we look, or never
    feedback = session.get_one(Feedback, feedback.id, populate_existing=True)
    if feedback.state is FeedbackState.FILED and feedback.reason == DELETED_AT_SOURCE:
        return False
    loop = session.exec(select(Loop).where(Loop.feedback_id == feedback.id)).one_or_none()
    twins = routing.duplicates_of(session, feedback)
    for twin in twins:  # it has to be answered by itself
        twin.state, twin.reason = FeedbackState.UNDERSTOOD, None
        session.add(twin)
    if loop is not None:
        loops.drop(session, loop, reason=DELETED_AT_SOURCE, now=now)
        _wipe_messages(session, loop, now=now)
        comments.forget(session, loop.id or 0)
    _erase_statements(session, feedback)
    session.exec(
        update(FeedbackVersion)
        .where(col(FeedbackVersion.feedback_id) == feedback.id)
        .values(verbatim="", masked={})
    )
    feedback.state, feedback.reason = FeedbackState.FILED, DELETED_AT_SOURCE
    feedback.url = None
    session.add(feedback)
    touch(session, [feedback.said_at, *(twin.said_at for twin in twins)])
    return True


def _erase_statements(session: Session, feedback: Feedback) -> None:
    versions = select(FeedbackVersion.id).where(FeedbackVersion.feedback_id == feedback.id)
    ours = col(Statement.version_id).in_(versions)
    hashes = set(session.exec(select(Statement.text_hash).where(ours)).all())
    themes.lock_registry(session)  # whoever places statements waits, and then finds them gone
    theirs = themes.themes_of(session, ours)
    session.exec(delete(Statement).where(ours))
    session.exec(delete(LabelledText).where(col(LabelledText.text_hash).in_(hashes)))
    themes.forget_words(session, theirs)
    shared = set(
        session.exec(select(Statement.text_hash).where(col(Statement.text_hash).in_(hashes))).all()
    )
    session.exec(delete(Embedding).where(col(Embedding.text_hash).in_(hashes - shared)))


def _wipe_messages(session: Session, loop: Loop, *, now: datetime) -> None:
    """Mails quote the customer: their frozen bytes go, key and state stay.

    What is about a ticket that others still wait for, or carries other messages, is written anew
    without them; a sender that has it in hand finds that out at its last look. What is being
    handed over at this moment cannot be changed any more, and is not kept.
    """
    tickets = select(LoopTicket.ticket_id).where(LoopTicket.loop_id == loop.id)
    carriers = select(Message.merged_into_id).where(Message.loop_id == loop.id)
    about = (
        (col(Message.loop_id) == loop.id)
        | col(Message.ticket_id).in_(tickets)
        | col(Message.id).in_(carriers)
    )
    for message in session.exec(select(Message).where(about)).all():
        is_held = message.state is MessageState.HELD and message.reason in LET_GO_OF
        if message.state in NOT_HANDED_OVER or is_held:
            messages.write_anew(session, message, now=now, not_before=message.not_before)
        else:
            message.content = message.refusal = None
            session.add(message)
    session.exec(update(Answer).where(col(Answer.loop_id) == loop.id).values(words=None))

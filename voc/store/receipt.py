"""Reading the receipt of a loop: its events, each with its path to the newest anchored head."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlmodel import Session, and_, col, or_, select

from voc.errors import NotFoundError, VocError
from voc.journal import Head
from voc.models import FeedbackVersion, Loop, LoopTicket, Message, TicketEvent
from voc.rules.receipts import Anchor, Event, Receipt, SentMessage, Words
from voc.store.ledger import Ledger, LedgerTree


def receipt_of(
    session: Session, loop_id: int, anchored: Head | None, ledger: Ledger | None = None
) -> Receipt:
    """What happened to a loop, with what proves it.

    Args:
        ledger: What is known of it from another receipt; its turn is the caller's to take.
        anchored: The newest head in the journal. Without one the ledger's present end is taken,
            which only the database vouches for.

    Raises:
        NotFoundError: There is no such loop.
        VocError: The anchored head is not in the ledger.
    """
    loop = session.get(Loop, loop_id)
    if loop is None:
        raise NotFoundError(f"there is no loop {loop_id}")
    tree = LedgerTree(session, ledger or Ledger())
    anchor = _anchor(tree, anchored)
    messages = _messages(session, loop_id)
    return Receipt(
        loop=loop_id,
        state=loop.state.value,
        anchor=anchor,
        words=_words(session, loop),
        messages=tuple(_message(message) for message in messages),
        events=tuple(
            _event(row, tree, anchor.length) for row in _events(session, loop_id, messages)
        ),
    )


def _anchor(tree: LedgerTree, anchored: Head | None) -> Anchor:
    length = min(tree.length, anchored.length) if anchored else tree.length
    newest, root = tree.hash_of(length) if length else "", tree.root(length)
    if anchored and anchored != Head(length, newest, anchored.root and root):
        raise VocError(
            f"the head that was anchored at {length} events is not in the ledger; `voc verify` "
            "names what was changed"
        )
    in_journal = anchored is not None
    return Anchor(length=length, hash=newest, root=root, in_journal=in_journal)


def _messages(session: Session, loop_id: int) -> list[Message]:
    """Those of the loop, and those that others were merged into."""
    of_loop = col(Message.loop_id) == loop_id
    carriers = select(Message.merged_into_id).where(of_loop)
    query = select(Message).where(of_loop | col(Message.id).in_(carriers))
    return list(session.exec(query.order_by(col(Message.id))))


def _events(session: Session, loop_id: int, messages: Sequence[Message]) -> list[TicketEvent]:
    """Those that name the loop; of its tickets and messages those that name no other loop."""
    tickets = select(LoopTicket.ticket_id).where(LoopTicket.loop_id == loop_id)
    of_tickets = and_(col(TicketEvent.loop_id).is_(None), col(TicketEvent.ticket_id).in_(tickets))
    query = select(TicketEvent).where(
        or_(
            col(TicketEvent.loop_id) == loop_id,
            col(TicketEvent.message_id).in_([message.id for message in messages]),
            of_tickets,
        )
    )
    return list(session.exec(query.order_by(col(TicketEvent.id))))


def _words(session: Session, loop: Loop) -> tuple[Words, ...]:
    query = select(FeedbackVersion).where(FeedbackVersion.feedback_id == loop.feedback_id)
    versions = session.exec(query.order_by(col(FeedbackVersion.number)))
    return tuple(
        Words(feedback=v.feedback_id, version=v.number, content_hash=v.content_hash)
        for v in versions
    )


def _message(message: Message) -> SentMessage:
    content = message.content
    return SentMessage(
        id=message.id or 0,
        step=message.step,
        channel=message.channel.value,
        state=message.state.value,
        provider_id=message.provider_id,
        sha256=None if content is None else sha256(content).hexdigest(),
    )


def _event(row: TicketEvent, tree: LedgerTree, anchored: int) -> Event:
    number = tree.number_of(row.id or 0)
    return Event(
        number=number,
        previous_hash=row.previous_hash,
        ticket_id=row.ticket_id,
        loop_id=row.loop_id,
        message_id=row.message_id,
        kind=row.kind.value,
        actor=row.actor,
        detail=row.detail,
        at=row.at,
        hash=row.hash,
        audit_path=tuple(tree.audit_path(number)) if number <= anchored else None,
    )

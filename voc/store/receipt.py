"""Reading the receipt of a loop: its events, each with its path to the newest anchored head."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlmodel import Session, and_, col, or_, select

from voc.errors import NotFoundError, VocError
from voc.journal import Head
from voc.models import FeedbackVersion, Loop, LoopTicket, Message, TicketEvent
from voc.rules.merkle import Tree
from voc.rules.receipts import Anchor, Event, Receipt, SentMessage, Words
from voc.store.upsert import table_of


def receipt_of(session: Session, loop_id: int, anchored: Head | None) -> Receipt:
    """What happened to a loop, with what proves it.

    Args:
        anchored: The newest head in the journal. Without one the ledger's present end is taken,
            which only the database vouches for.

    Raises:
        NotFoundError: There is no such loop.
        VocError: The anchored head is not in the ledger.
    """
    loop = session.get(Loop, loop_id)
    if loop is None:
        raise NotFoundError(f"there is no loop {loop_id}")
    table = table_of(TicketEvent)
    ledger = session.execute(select(table.c.id, table.c.hash).order_by(table.c.id)).all()
    numbers = {event_id: number for number, (event_id, _) in enumerate(ledger, 1)}
    anchor, tree = _anchor([event_hash for _, event_hash in ledger], anchored)
    messages = _messages(session, loop_id)
    return Receipt(
        loop=loop_id,
        state=loop.state.value,
        anchor=anchor,
        words=_words(session, loop),
        messages=tuple(_message(message) for message in messages),
        events=tuple(
            _event(
                row, numbers[row.id or 0], tree if numbers[row.id or 0] <= anchor.length else None
            )
            for row in _events(session, loop_id, messages)
        ),
    )


def _anchor(hashes: Sequence[str], anchored: Head | None) -> tuple[Anchor, Tree]:
    length = len(hashes) if anchored is None else anchored.length
    tree = Tree(hashes[:length])
    newest = hashes[length - 1] if 0 < length <= len(hashes) else ""
    if anchored is not None and (newest, tree.root) != (anchored.hash, anchored.root or tree.root):
        raise VocError(
            f"the head that was anchored at {length} events is not in the ledger; `voc verify` "
            "names what was changed"
        )
    in_journal = anchored is not None
    return Anchor(length=length, hash=newest, root=tree.root, in_journal=in_journal), tree


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


def _event(row: TicketEvent, number: int, tree: Tree | None) -> Event:
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
        audit_path=None if tree is None else tuple(tree.audit_path(number - 1)),
    )

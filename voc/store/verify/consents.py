"""What customers and colleagues allowed: nothing left against a word that the ledger heard."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import (
    Consent,
    CustomerMerge,
    DeliveryChannel,
    Message,
    MessageKind,
    MessageState,
    Purpose,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.books import Finding
from voc.rules.contact import Why
from voc.rules.messages import GONE, detail_of
from voc.rules.provenance import read_choice, read_content_hash, read_same_person
from voc.rules.same_person import SamePerson
from voc.store.contact import PURPOSES

CHOICES = (
    TicketEventKind.OPTED_OUT,
    TicketEventKind.OPTED_IN,
    TicketEventKind.CUSTOMER_MERGED,
    TicketEventKind.CUSTOMER_UNMERGED,
)


def nothing_left_after_an_opt_out(session: Session) -> Finding | None:
    """No message was handed over after its customer's opt-out, unless they agreed anew.

    The order of the ledger decides, not a clock: an opt-out and a last look take turns. A no of
    one customer is a no of everybody who was the same person then. A reply in public is under
    the customer's own words, and about those.
    """
    silenced: set[tuple[int, str]] = set()
    people, whose = SamePerson(), dict[int, int]()
    for event, recipient, channel in _choices_and_sendings(session):
        if channel in PURPOSES:
            purpose = PURPOSES[channel]
            known_as = whose.get(event.message_id or 0) or _number(recipient)
            person = people.of(known_as)
            is_silenced = any((each, purpose.value) in silenced for each in person)
            if is_silenced and not _agreed(session, person, purpose, event.at):
                problem = f"hands message {event.message_id} over after an opt-out"
                return Finding("nothing left after an opt out", f"ticketevent {event.id}", problem)
        elif choice := read_choice(event.detail):
            customer_id, said = choice
            if event.kind is TicketEventKind.OPTED_OUT:
                silenced.add(choice)
            else:
                silenced -= {(each, said) for each in people.of(customer_id)}
        elif pair := read_same_person(event.detail):
            _note(event, pair, people, whose)
    return None


def _note(
    event: TicketEvent, pair: tuple[int, int], people: SamePerson, whose: dict[int, int]
) -> None:
    """Customers are one person from here on, or two again; a message may change hands with it."""
    merged_id, kept_id = pair
    if event.message_id is not None:
        whose[event.message_id] = merged_id
    elif event.kind is TicketEventKind.CUSTOMER_MERGED:
        people.merge(merged_id, kept_id)
    else:
        people.part(merged_id)


def _number(recipient: str | None) -> int:
    """Of the customer that a message was planned for: the key says so, whoever has it by now."""
    number = (recipient or "").removeprefix("customer:")
    return int(number) if number.isdecimal() else 0


def _choices_and_sendings(session: Session) -> sa.Result[tuple[TicketEvent, str, DeliveryChannel]]:
    """What customers chose, who they turned out to be, and what was handed over to them.

    In the order of the ledger.
    """
    to_customer = sa.and_(
        col(TicketEvent.kind) == TicketEventKind.MESSAGE_SENDING,
        col(Message.kind) == MessageKind.FOLLOW_UP,
        col(Message.channel).in_(PURPOSES),
    )
    is_sending = col(TicketEvent.kind) == TicketEventKind.MESSAGE_SENDING
    return session.execute(
        sa.select(TicketEvent, col(Message.recipient), col(Message.channel))
        .outerjoin(Message, (col(Message.id) == TicketEvent.message_id) & is_sending)
        .where(sa.or_(col(TicketEvent.kind).in_(CHOICES), to_customer))
        .order_by(col(TicketEvent.id))
        .execution_options(yield_per=1000)
    )


def _agreed(session: Session, person: frozenset[int], purpose: Purpose, by: datetime) -> bool:
    """Whether the newest of what this person said by then is a yes.

    What was said under a number that has been merged since is under another one now.
    """
    said_by = _said_by(session)
    theirs = [number for number, customer_id in said_by.items() if customer_id in person]
    query = select(Consent).where(
        col(Consent.customer_id).in_(person) | col(Consent.id).in_(theirs),
        Consent.purpose == purpose,
        col(Consent.at) <= by,
    )
    rows = session.exec(query.order_by(col(Consent.at), col(Consent.id)))
    said = [row.granted for row in rows if said_by.get(row.id or 0, row.customer_id) in person]
    return bool(said and said[-1])


def _said_by(session: Session) -> dict[int, int]:
    """By the id of a consent that changed hands the customer who gave it."""
    merges = select(CustomerMerge).where(col(CustomerMerge.undone_at).is_(None))
    found: dict[int, int] = {}
    for merge in session.exec(merges.order_by(col(CustomerMerge.id))):
        for number in merge.moved.get("consent", ()):
            found.setdefault(int(number), merge.merged_id)
    return found


def approved_messages_left_as_approved(session: Session) -> Finding | None:
    """What had to be approved was, before it left; and left byte for byte as it was read."""
    name = "approved messages left as approved"
    approved: dict[int, str | None] = {}
    for event, needs_approval in session.execute(_approvals()):
        message_id, content_hash = event.message_id or 0, read_content_hash(event.detail)
        row = f"ticketevent {event.id}"
        if event.kind is TicketEventKind.MESSAGE_APPROVED:
            approved[message_id] = event.detail.rpartition(" ")[2]
        elif event.kind is TicketEventKind.MESSAGE_ENDED:
            approved[message_id] = None  # it waits, whatever its row says by now
        elif not needs_approval and message_id not in approved:
            continue
        elif (fingerprint := approved.get(message_id)) is None:
            return Finding(name, row, f"hands message {message_id} over before it was approved")
        elif content_hash is None or not content_hash.startswith(fingerprint):
            return Finding(name, row, f"hands message {message_id} over, but not as approved")
    kept = select(Message).where(
        col(Message.needs_approval).is_(True),
        col(Message.state).in_(GONE),
        col(Message.content).is_not(None),
    )
    for message in session.exec(kept.order_by(col(Message.id))):
        if sha256(message.content or b"").hexdigest() != message.approved_hash:
            return Finding(name, f"message {message.id}", "is not what was approved")
    return None


def _approvals() -> sa.Select[tuple[TicketEvent, bool]]:
    """What waited, was approved and was handed over, in that order; and what needs approval."""
    waits = sa.and_(
        col(TicketEvent.kind) == TicketEventKind.MESSAGE_ENDED,
        col(TicketEvent.detail) == detail_of(MessageState.HELD, Why.NEEDS_APPROVAL, None),
    )
    kinds = [TicketEventKind.MESSAGE_APPROVED, TicketEventKind.MESSAGE_SENDING]
    return (
        sa.select(TicketEvent, col(Message.needs_approval))
        .join(Message, col(Message.id) == TicketEvent.message_id)
        .where(sa.or_(waits, col(TicketEvent.kind).in_(kinds)))
        .order_by(col(TicketEvent.id))
        .execution_options(yield_per=1000)
    )

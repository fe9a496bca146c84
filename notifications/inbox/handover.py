"""From the mailbox into the books: each mail once for ever, with the cursor, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes

from sqlalchemy import Engine
from sqlmodel import Session

from notifications.inbox.imap import SOURCE, Batch, Fetched
from notifications.inbox.parts import visible_text
from notifications.inbox.reading import MailIn, OwnAddresses, read_mail
from notifications.inbox.replies import new_words
from voc.actions.collect import Door, quarantine
from voc.actions.inbound import Arrived, take_in
from voc.arrivals import MAIL_IN, Rejected
from voc.models import InboundKind, Message, SourceCursor
from voc.rules.inbound_mail import meaning_of
from voc.rules.tokens import read_return_token
from voc.store import customers, inbound
from voc.store.database import transaction

PROVIDER = "mail"
LETTERS = frozenset({InboundKind.REPLIED, InboundKind.AUTO_REPLIED})
"""Of these only such as answer us are our business; of all else a stray one is on record, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What every mail passes on its way in."""

    engine: Engine
    own: OwnAddresses
    door: Door
    now: datetime


@dataclass(frozen=True, slots=True)
class _Letter:
    """A mail that was read, the message of ours that it is about, and what the domain is told."""

    fetched: Fetched
    mail: MailIn
    message: Message | None = None
    known: Sequence[tuple[str, str]] = ()
    arrived: Arrived | None = None
    """None of a mail that is left alone."""


def store_batch(post: Post, batch: Batch) -> Counter[str]:
    """Take in some mails and the cursor in one transaction; what they were, by count.

    Words are masked between two transactions, so that no lock is held meanwhile.
    """
    letters = [_told(post, each) for each in _look_up(post, batch.mails)]
    counts = Counter(_left_alone(each) for each in letters if each.arrived is None)
    with transaction(post.engine) as session:
        counts += _take_in(session, post, letters)
        poison = [_rejected(each) for each in letters if each.mail.kind is InboundKind.UNREADABLE]
        quarantine(session, MAIL_IN, poison, post.door, now=post.now)
        session.merge(SourceCursor(source=SOURCE, cursor=batch.cursor, read_at=post.now))
    return counts


def store_again(post: Post, raw: bytes) -> bool:
    """Take in a mail that could not be read before; False if it still cannot."""
    (found,) = _look_up(post, [Fetched(uid=0, arrived_at=None, raw=raw)])
    letter = _told(post, found)
    if letter.mail.kind is InboundKind.UNREADABLE:
        return False
    with transaction(post.engine) as session:
        _take_in(session, post, [letter])
    return True


def _look_up(post: Post, mails: Iterable[Fetched]) -> list[_Letter]:
    """Read mails, and find which messages of ours they name and what we know of their customers."""
    read = [(each, read_mail(each.raw, post.own)) for each in mails]
    with transaction(post.engine) as session:
        return [_find(session, post, fetched, mail) for fetched, mail in read]


def _find(session: Session, post: Post, fetched: Fetched, mail: MailIn) -> _Letter:
    sealed = (read_return_token(post.door.secret, *token) for token in mail.tokens)
    named = (inbound.by_message_id(session, each) for each in mail.message_ids)
    found = (session.get(Message, number) for each in (sealed, named) for number in each if number)
    message = next((each for each in found if each is not None), None)
    customer_id = message.customer_id if message else None
    known = customers.known_values(session, [customer_id]) if customer_id else {}
    return _Letter(fetched, mail, message, known.get(customer_id or 0, []))


def _is_about_us(letter: _Letter) -> bool:
    return letter.mail.kind is not None and (
        letter.message is not None or letter.mail.kind not in LETTERS
    )


def _left_alone(letter: _Letter) -> str:
    return "says_nothing" if letter.mail.kind is None else "not_ours"


def _told(post: Post, letter: _Letter) -> _Letter:
    """With what the domain is told; as unreadable if its words break what they go through."""
    if not _is_about_us(letter):
        return letter
    try:
        return replace(letter, arrived=_arrived(post, letter))
    except Exception as exc:  # noqa: BLE001  (a poison mail: it is kept, and the rest goes on)
        mail = MailIn(
            event_id=f"unreadable-{letter.mail.event_id}",
            kind=InboundKind.UNREADABLE,
            code=type(exc).__name__,
        )
        unread = replace(letter, mail=mail)
        return replace(unread, arrived=_arrived(post, unread))


def _arrived(post: Post, letter: _Letter) -> Arrived:
    """What the domain is told: ids, codes, and of a reply the words, personal data masked."""
    mail, message = letter.mail, letter.message
    assert mail.kind is not None  # noqa: S101  (it is about us)
    arrived = Arrived(
        provider=PROVIDER,
        event_id=mail.event_id,
        kind=mail.kind,
        occurred_at=min(letter.fetched.arrived_at or post.now, post.now),
        message_id=message.id if message else None,
        customer_id=message.customer_id if message else None,
        code=mail.code,
    )
    if mail.kind is not InboundKind.REPLIED or message is None:
        return arrived
    ours = visible_text(message_from_bytes(message.content)) if message.content else ""
    words = new_words(mail.text, ours)
    masked, _ = post.door.mask(words, letter.known)
    kind, verdict = meaning_of(words)
    code = "words" if kind is InboundKind.OPTED_OUT else arrived.code
    return replace(arrived, kind=kind, code=code, words=masked or None, verdict=verdict)


def _take_in(session: Session, post: Post, letters: Iterable[_Letter]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in (letter.arrived for letter in letters if letter.arrived):
        if not take_in(session, each, secret=post.door.secret, now=post.now):
            counts["known"] += 1
        elif each.message_id is None and each.kind is not InboundKind.UNREADABLE:
            counts["names_no_message"] += 1
        else:
            counts[each.kind.value] += 1
    return counts


def _rejected(letter: _Letter) -> Rejected:
    """The mail as quarantine keeps it: bytes as text, one letter a byte.

    Its place says when it came, not its number there: that may change, and it is kept once.
    """
    at = letter.fetched.arrived_at
    return Rejected(
        place=f"mail of {at:%Y-%m-%d %H:%M}" if at else "mail",
        reason=f"cannot be read: {letter.mail.code}",
        raw=letter.fetched.raw.decode("latin-1"),
    )

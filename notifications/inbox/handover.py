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
from voc.arrivals import Rejected
from voc.models import InboundKind, Message, SourceCursor, Verdict
from voc.rules.sms_words import Asks, asks_for
from voc.rules.tokens import read_return_token
from voc.rules.verdicts import verdict_of
from voc.store import customers, inbound
from voc.store.database import transaction

PROVIDER = "mail"
QUARANTINE = "mail in"  # no source of a company file can be called so
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
    """A mail that was read, and the message of ours that it is about."""

    fetched: Fetched
    mail: MailIn
    message: Message | None = None
    known: Sequence[tuple[str, str]] = ()


def store_batch(post: Post, batch: Batch) -> Counter[str]:
    """Take in some mails and the cursor in one transaction; what they were, by count.

    Words are masked between two transactions, so that no lock is held meanwhile.
    """
    letters = _look_up(post, batch.mails)
    arrived = [_arrived(post, letter) for letter in letters if _is_about_us(letter)]
    counts = Counter(_left_alone(each) for each in letters if not _is_about_us(each))
    with transaction(post.engine) as session:
        counts += _take_in(session, post, arrived)
        poison = [_rejected(each) for each in letters if each.mail.kind is InboundKind.UNREADABLE]
        quarantine(session, QUARANTINE, poison, post.door, now=post.now)
        session.merge(SourceCursor(source=SOURCE, cursor=batch.cursor, read_at=post.now))
    return counts


def store_again(post: Post, raw: bytes) -> bool:
    """Take in a mail that could not be read before; False if it still cannot."""
    letters = _look_up(post, [Fetched(uid=0, arrived_at=None, raw=raw)])
    if letters[0].mail.kind is InboundKind.UNREADABLE:
        return False
    arrived = [_arrived(post, letter) for letter in letters if _is_about_us(letter)]
    with transaction(post.engine) as session:
        _take_in(session, post, arrived)
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
    asks = asks_for(words)
    if asks is Asks.STOP:
        return replace(arrived, kind=InboundKind.OPTED_OUT, code="words")
    masked, _ = post.door.mask(words, letter.known)
    verdict = Verdict.UNCLEAR if asks is Asks.PERHAPS_STOP else verdict_of(words)
    return replace(arrived, words=masked or None, verdict=verdict)


def _take_in(session: Session, post: Post, arrived: Iterable[Arrived]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in arrived:
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

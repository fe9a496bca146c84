"""From PLANNED to QUEUED: what was decided becomes words, and the words become frozen bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy import Engine
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

from notifications.mail import CannotComposeError
from notifications.preview import text_of
from notifications.reconciling import message_ids
from notifications.writing import Writer, Written
from voc.actions import experiments
from voc.actions.approval import needs_approval
from voc.actions.restoring import HANDED_OVER, is_restored, may_have_left
from voc.company.model import Company
from voc.journal import Journal
from voc.models import Message, MessageKind, MessageState
from voc.rules.contact import ContactFacts, why_not_contact
from voc.rules.messages import SAME_WORDS, is_told_once
from voc.rules.tokens import token_hash, words_hash
from voc.store import approval, contact, messages, outbox
from voc.store.database import transaction
from voc.store.events import lock_head
from voc.store.freezing import freeze
from voc.store.mail_facts import MailFacts, planned_mails
from voc.store.merging import merge_receipts, riders_of

BATCH = 200  # mails a transaction: held in memory together
FROZEN = frozenset({MessageState.QUEUED, MessageState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What stays the same while a range of messages is written."""

    engine: Engine
    company: Company
    secret: bytes
    writer: Writer
    lost: Mapping[str, str]
    """What was handed over without this database knowing: see `Journal.lost`."""
    now: datetime


@dataclass(frozen=True, slots=True)
class _Ending:
    """Where a message ends that is not written."""

    state: MessageState
    reason: str


def merge_waiting(
    engine: Engine, *, company: Company, secret: bytes, now: datetime
) -> Counter[MessageState]:
    """Make one mail of what is due together, before any of it is written. Safe to repeat."""
    with transaction(engine) as session:
        merged = merge_receipts(session, company=company, secret=secret, now=now)
    return +Counter({MessageState.CANCELLED: merged})


def queue_planned(
    engine: Engine,
    ids_range: tuple[int, int],
    *,
    company: Company,
    secret: bytes,
    public_url: str,
    reply_address: str = "",
    journal: Journal,
    now: datetime,
) -> Counter[MessageState]:
    """Write the planned messages that are due and have ids in *ids_range*, ends included.

    What cannot be written is DEAD, with the reason; what the governor never lets out is not
    written at all, nor is what the customer was told in the same words. What the journal knows
    to have been handed over, before an older copy of the database was put back, is UNKNOWN; and
    until a person has looked into that, nothing is written. Safe to repeat and to overlap: each
    message is frozen once.
    """
    if is_restored(engine, journal, now=now):
        return Counter()
    writer = Writer(
        company=company, secret=secret, public_url=public_url, reply_address=reply_address
    )
    desk = _Desk(
        engine=engine,
        company=company,
        secret=secret,
        writer=writer,
        lost=journal.lost(),
        now=now,
    )
    low, high = ids_range
    counts: Counter[MessageState] = Counter()
    while batch := _read(desk, low, high):
        written = [(mail, _write(desk, mail, facts)) for mail, facts in batch]
        with transaction(engine) as session:
            lock_head(session)  # before any message
            counts.update(state for each in written if (state := _store(session, desk, *each)))
            _take_back_outdated(session, [mail for mail, _ in batch], now)
        low = (batch[-1][0].message.id or 0) + 1
    return counts


def _read(desk: _Desk, low: int, high: int) -> list[tuple[MailFacts, ContactFacts]]:
    with transaction(desk.engine) as session:
        mails = planned_mails(session, low, high, now=desk.now, limit=BATCH)
        due = [mail.message for mail in mails]
        experiments.expose(session, due, desk.company, secret=desk.secret, now=desk.now)
        facts = contact.facts_for(
            session,
            [mail.message.id or 0 for mail in mails],
            company=desk.company,
            secret=desk.secret,
            kill_switch=False,  # it stops what leaves, not what is written
            now=desk.now,
        )
    for mail in mails:  # stored with the words that are written for it
        channel = facts[mail.message.id or 0].channel
        set_committed_value(mail.message, "channel", channel)
    return [(mail, facts[mail.message.id or 0]) for mail in mails]


def _write(desk: _Desk, mail: MailFacts, facts: ContactFacts) -> Written | _Ending:
    silence = why_not_contact(facts, desk.company.follow_up, desk.now)
    if silence is not None and silence.until is None:
        return _Ending(silence.state, silence.reason)
    try:
        return desk.writer.write(mail, facts.address or "", now=desk.now)
    except CannotComposeError as exc:
        return _Ending(MessageState.DEAD, str(exc))
    except TemplateError as exc:  # its text may hold what was rendered
        return _Ending(MessageState.DEAD, f"cannot render: {type(exc).__name__}")


def _store(
    session: Session, desk: _Desk, mail: MailFacts, outcome: Written | _Ending
) -> MessageState | None:
    """The state that the message is in now; None if someone else has moved it meanwhile."""
    message = mail.message
    if isinstance(outcome, Written):
        text = text_of(message.channel, outcome.content)
        words = words_hash(desk.secret, message.channel, outcome.address, text)
        if not _is_one_too_many(session, desk, message, words):
            return _freeze(session, desk, message, outcome, words)
        outcome = _Ending(MessageState.CANCELLED, SAME_WORDS)
    moved = messages.move(session, message, outcome.state, reason=outcome.reason, now=desk.now)
    return message.state if moved else None


def _freeze(
    session: Session, desk: _Desk, message: Message, written: Written, words: str
) -> MessageState | None:
    moved = freeze(
        session,
        message,
        address=written.address,
        message_id=written.message_id,
        envelope_sender=written.envelope_sender,
        content=written.content,
        links=[(token_hash(token), purpose) for purpose, token in written.tokens.items()],
        links_expire_at=desk.now + timedelta(days=desk.company.follow_up.link_days),
        words_hash=words,
        in_doubt=HANDED_OVER if _may_have_left(desk, message, words) else None,
        now=desk.now,
        needs_approval=needs_approval(message, desk.company),
    )
    if moved and approval.is_waiting(message):
        approvers = desk.company.follow_up.approval.approvers
        approval.ask(session, message, approvers, now=desk.now)
    return message.state if moved else None


def _is_one_too_many(session: Session, desk: _Desk, message: Message, words: str) -> bool:
    """Whether the customer hears just this from us already, about whatever it is."""
    is_follow_up = message.kind is MessageKind.FOLLOW_UP
    once = is_follow_up and is_told_once(message.template)
    return once and outbox.says_the_same(session, message, words, desk.now)


def _may_have_left(desk: _Desk, message: Message, words: str) -> bool:
    """Whether the journal says so; not if a person has decided about it: then it has an id."""
    if not desk.lost or message.message_id is not None:
        return False
    ids = message_ids(message, desk.company, desk.secret)
    return may_have_left(ids, words, desk.lost)


def _take_back_outdated(session: Session, mails: Sequence[MailFacts], now: datetime) -> None:
    """Write anew what came to carry more, or less, while it was written.

    Whoever merges holds the carrier's row: what was merged before it was frozen is seen here,
    and whoever comes later finds it frozen and takes it back.
    """
    frozen = [m for m in mails if m.message.state in FROZEN and m.message.content is not None]
    riders = riders_of(session, [mail.message.id or 0 for mail in frozen])
    for mail in frozen:
        if tuple(riders.get(mail.message.id or 0, ())) != mail.riders:
            not_before = mail.message.not_before
            messages.write_anew(session, mail.message, now=now, not_before=not_before)

"""From PLANNED to QUEUED: what was decided becomes words, and the words become frozen bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy import Engine
from sqlmodel import Session

from notifications.mail import CannotComposeError
from notifications.writing import Mail, write_mail
from voc.company.model import Company
from voc.models import MessageState
from voc.rules.contact import ContactFacts, why_not_contact
from voc.rules.tokens import token_hash
from voc.store import contact, messages
from voc.store.database import transaction
from voc.store.mail_facts import MailFacts, planned_mails
from voc.store.merging import merge_receipts

BATCH = 200  # mails a transaction: held in memory together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What stays the same while a range of messages is written."""

    engine: Engine
    company: Company
    secret: bytes
    public_url: str
    now: datetime


@dataclass(frozen=True, slots=True)
class _Ending:
    """Where a message ends that is not written."""

    state: MessageState
    reason: str


def queue_planned(
    engine: Engine,
    ids_range: tuple[int, int],
    *,
    company: Company,
    secret: bytes,
    public_url: str,
    now: datetime,
) -> Counter[MessageState]:
    """Write the planned messages that are due and have ids in *ids_range*, ends included.

    What cannot be written is DEAD, with the reason; what the governor never lets out is not
    written at all. Safe to repeat and to overlap: each message is frozen once.
    """
    desk = _Desk(engine=engine, company=company, secret=secret, public_url=public_url, now=now)
    low, high = ids_range
    counts: Counter[MessageState] = Counter()
    with transaction(engine) as session:
        if merged := merge_receipts(session, now=now):
            counts[MessageState.CANCELLED] += merged
    while batch := _read(desk, low, high):
        written = [(mail, facts.address or "", _write(desk, mail, facts)) for mail, facts in batch]
        with transaction(engine) as session:
            counts.update(state for each in written if (state := _store(session, desk, *each)))
        low = (batch[-1][0].message.id or 0) + 1
    return counts


def _read(desk: _Desk, low: int, high: int) -> list[tuple[MailFacts, ContactFacts]]:
    with transaction(desk.engine) as session:
        mails = planned_mails(session, low, high, now=desk.now, limit=BATCH)
        facts = contact.facts_for(
            session,
            [mail.message.id or 0 for mail in mails],
            company=desk.company,
            secret=desk.secret,
            kill_switch=False,  # it stops what leaves, not what is written
            now=desk.now,
        )
    return [(mail, facts[mail.message.id or 0]) for mail in mails]


def _write(desk: _Desk, mail: MailFacts, facts: ContactFacts) -> Mail | _Ending:
    silence = why_not_contact(facts, desk.company.follow_up, desk.now)
    if silence is not None and silence.until is None:
        return _Ending(silence.state, silence.reason)
    try:
        return write_mail(
            mail,
            facts.address or "",
            company=desk.company,
            secret=desk.secret,
            public_url=desk.public_url,
            now=desk.now,
        )
    except CannotComposeError as exc:
        return _Ending(MessageState.DEAD, str(exc))
    except TemplateError as exc:  # its text may hold what was rendered
        return _Ending(MessageState.DEAD, f"cannot render: {type(exc).__name__}")


def _store(
    session: Session, desk: _Desk, mail: MailFacts, address: str, outcome: Mail | _Ending
) -> MessageState | None:
    """The state that the message is in now; None if someone else has moved it meanwhile."""
    message = mail.message
    if isinstance(outcome, _Ending):
        moved = messages.move(session, message, outcome.state, reason=outcome.reason, now=desk.now)
    else:
        moved = messages.freeze(
            session,
            message,
            address=address,
            message_id=outcome.message_id,
            envelope_sender=outcome.envelope_sender,
            content=outcome.content,
            links=[(token_hash(token), purpose) for purpose, token in outcome.tokens.items()],
            links_expire_at=desk.now + timedelta(days=desk.company.follow_up.link_days),
            now=desk.now,
        )
    return message.state if moved else None

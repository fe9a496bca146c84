"""What must hold after a disturbed run: how it ends, by natural keys, and what was received."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import col, select

from tests.faults.world import text_digest
from voc.models import DeliveryChannel, Message, MessageState
from voc.store.database import transaction

Is = MessageState
LEFT = frozenset({Is.SENT, Is.DELIVERED, Is.BOUNCED, Is.COMPLAINED})
UNFINISHED = frozenset({Is.QUEUED, Is.CLAIMED, Is.SENDING})

ENDS = {
    "feedback": "select source, external_id, state, reason, version, rating from feedback",
    "versions": """
        select f.source, f.external_id, v.number, v.verbatim
        from feedbackversion v join feedback f on f.id = v.feedback_id""",
    "statements": """
        select f.source, f.external_id, v.number, s.start, s."end", s.text_hash
        from statement s join feedbackversion v on v.id = s.version_id
        join feedback f on f.id = v.feedback_id""",
    "suggestions": """
        select f.source, f.external_id, v.number, s.start, g.kind, g.value, g.model
        from suggestion g join statement s on s.id = g.statement_id
        join feedbackversion v on v.id = s.version_id join feedback f on f.id = v.feedback_id""",
    "embeddings": "select text_hash, model from embedding",
    "customers": """
        select i.kind, i.value, c.name, c.language from identity i
        join customer c on c.id = i.customer_id""",
    "consents": """
        select i.value, c.purpose, c.granted, c.how from consent c
        join identity i on i.customer_id = c.customer_id""",
    "suppressions": "select reason, count(*) from suppression group by reason",
    "loops": """
        select f.source, f.external_id, l.kind, l.state, l.reason, l.round
        from loop l join feedback f on f.id = l.feedback_id""",
    "tickets": """
        select f.source, f.external_id, t.department, t.topic, t.state, t.hand, t.round, t.level,
               t.priority, t.root_cause, t.action_taken
        from ticket t join loopticket lt on lt.ticket_id = t.id join loop l on l.id = lt.loop_id
        join feedback f on f.id = l.feedback_id""",
    "follow-ups": """
        select f.source, f.external_id, m.step, m.channel, m.state
        from message m join loop l on l.id = m.loop_id join feedback f on f.id = l.feedback_id""",
    "alerts": """
        select m.step, m.channel, m.recipient, m.state, count(*) from message m
        where m.loop_id is null group by 1, 2, 3, 4""",
    "answers": """
        select f.source, f.external_id, a.round, a.verdict, a.rating, a.words,
               a.applied_at is null
        from answer a join loop l on l.id = a.loop_id join feedback f on f.id = l.feedback_id""",
    "inbound": "select provider, event_id, kind, outcome, applied_at is null from inboundevent",
    "quarantine": "select source, place, reason, state from quarantine",
    "labels": "select l.kind, l.value, count(*) from label l group by 1, 2",
    "events": """
        select f.source, f.external_id, e.kind, e.actor, e.detail from ticketevent e
        left join loop l on l.id = e.loop_id left join feedback f on f.id = l.feedback_id
        where e.message_id is null""",
    "themes": "select state, size, name, model from theme",
    "theme places": """
        select f.external_id, a.state, t.size from themeassignment a
        join statement s on s.id = a.statement_id join feedbackversion v on v.id = s.version_id
        join feedback f on f.id = v.feedback_id left join theme t on t.id = a.theme_id""",
    "routers": "select version, encoder, labels from trainedrouter",
}
"""The tables without ids and moments: a run that was disturbed ends at another time."""

End = dict[str, list[list[Any]]]


def end_of(engine: Engine) -> End:
    """What the tables hold, as natural keys, in order."""
    with engine.connect() as connection:
        return {
            name: sorted(
                ([_plain(value) for value in row] for row in connection.execute(sa.text(query))),
                key=json.dumps,
            )
            for name, query in ENDS.items()
        }


def differences(end: End, undisturbed: End) -> list[str]:
    """What is missing and what is too much, one line each."""
    found = []
    for name, rows in undisturbed.items():
        one, other = Counter(map(json.dumps, rows)), Counter(map(json.dumps, end[name]))
        found += [f"{name}: {row} is missing" for row in (one - other).elements()]
        found += [f"{name}: {row} is too much" for row in (other - one).elements()]
    return found


def mailbox_ids(folder: Path) -> list[str]:
    """The Message-ID of every mail in a local mailbox."""
    return [
        str(message_from_bytes(path.read_bytes())["Message-ID"]) for path in folder.rglob("*.eml")
    ]


def wrong_deliveries(messages: Sequence[Message], received: Iterable[str]) -> list[str]:
    """Where what recipients have and what we say about it do not agree. Doubt is no lie."""
    came = Counter(received)
    known = {key_of(message): message for message in messages if message.message_id}
    found = [f"{_name(known.get(key), key)} came {n} times" for key, n in came.items() if n > 1]
    for key, message in known.items():
        if message.state in LEFT and not came[key]:
            found.append(f"{_name(message, key)} is {message.state.value} and never came")
        if came[key] and message.state not in LEFT | {Is.UNKNOWN, Is.ABANDONED}:
            found.append(f"{_name(message, key)} came and is {message.state.value}")
        if message.state in UNFINISHED:
            found.append(f"{_name(message, key)} is left {message.state.value}")
    return found


def key_of(message: Message) -> str:
    """What its recipient knows it by: a text message has no Message-ID, but a link of its own."""
    if message.channel is DeliveryChannel.SMS and message.content is not None:
        return text_digest(message.content.decode())
    return message.message_id or ""


def all_messages(engine: Engine) -> list[Message]:
    with transaction(engine) as session:
        return list(session.exec(select(Message).order_by(col(Message.id))))


def _name(message: Message | None, key: str) -> str:
    return f"message {message.id} ({message.step})" if message else f"mail {key}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)

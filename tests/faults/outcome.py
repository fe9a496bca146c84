"""What a trial of a storm came to: twice, lost, after an unsubscribe, and each doubt explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.workplace import workplace
from tests.faults import books
from tests.faults.board import IN_SENDING, Point
from tests.faults.provider import REPLY_LOST, Provider
from tests.faults.sender import entries
from tests.faults.trial import Logs
from tests.story import Story
from voc.models import Message, MessageState

DOUBT = frozenset({MessageState.UNKNOWN, MessageState.ABANDONED})
FEWEST_POINTS = 5
"""A trial counts if senders were killed in at least so many different places."""


@dataclass(kw_only=True)
class Result:
    """The figures of one trial, or of many."""

    trials: int = 0
    messages: int = 0
    kills: int = 0
    suspended: int = 0
    faults: int = 0
    """Mails that the server did something wrong with."""
    unsubscribed: int = 0
    on_the_wire: int = 0
    """Mails to somebody whose unsubscribe was confirmed while they were handed over."""
    twice: int = 0
    lost: int = 0
    after: int = 0
    """Mails whose SENDING was committed after an unsubscribe was confirmed."""
    unexplained: int = 0
    doubts: int = 0
    doubts_that_came: int = 0
    states: Counter[str] = field(default_factory=Counter)
    points: Counter[Point] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        return len(self.points) >= FEWEST_POINTS or not self.kills

    def add(self, other: Result) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def count(logs: Logs) -> Result:
    """Look at database, mail server and logs, when all is quiet."""
    place = workplace()
    messages = [
        m for m in books.all_messages(place.engine) if m.message_id and m.route != "mailbox"
    ]
    log = Provider(0, logs.folder / "mails").entries()
    stored = {entry.message_id: entry.at_ns for entry in log if entry.what == "stored"}
    received = [entry.message_id for entry in log if entry.what == "stored"]
    doubts = [message for message in messages if message.state in DOUBT]
    result = Result(
        trials=1,
        messages=len(messages),
        kills=len(logs.deaths),
        suspended=logs.suspended,
        faults=sum(entry.what != "stored" for entry in log),
        twice=sum(n - 1 for n in Counter(received).values()),
        lost=sum(m.state in books.LEFT and m.message_id not in received for m in messages),
        doubts=len(doubts),
        doubts_that_came=sum(message.message_id in received for message in doubts),
        states=Counter(message.state.value for message in messages),
        points=Counter(point for point, _ in logs.deaths),
        wrong=[*Story(place).broken_books(), *books.wrong_deliveries(messages, received)],
    )
    killed = {message_id for point, message_id in logs.deaths if point in IN_SENDING}
    lost_replies = {entry.recipient for entry in log if entry.what in REPLY_LOST}
    for message in doubts:
        if message.message_id not in killed and message.address not in lost_replies:
            result.unexplained += 1
            result.wrong.append(f"message {message.id} is in doubt: {message.reason}")
    _look_at_leavers(result, logs, messages, stored)
    return result


def _look_at_leavers(
    result: Result, logs: Logs, messages: Sequence[Message], stored: Mapping[str, int]
) -> None:
    left = {each["customer_id"]: each["confirmed_ns"] for each in entries(logs.leavers)}
    sending = {each["message_id"]: each["sending_ns"] for each in entries(logs.hand_overs)}
    result.unsubscribed = len(left)
    for message in messages:
        confirmed_ns = left.get(message.customer_id)
        began_ns = sending.get(message.message_id)
        if confirmed_ns is None or began_ns is None:
            continue
        if began_ns > confirmed_ns:
            result.after += 1
            result.wrong.append(f"message {message.id} went after its customer had left")
        elif stored.get(message.message_id or "", 0) > confirmed_ns:
            result.on_the_wire += 1

"""A mail provider without a wire: it takes, refuses, hangs up, and may be the end of a sender.

It behaves as SMTP does: nobody can ask it what it has, and a copy is not noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from notifications.channel import (
    Capability,
    ChannelDownError,
    Envelope,
    NoSuchMailboxError,
)
from voc.errors import NotSentError, RefusedError, UnconfirmedError


class Fate(StrEnum):
    """What becomes of one try to hand a mail over."""

    TAKEN = "taken"
    LATER = "later"
    DOWN = "down"
    REFUSED = "refused"
    NO_MAILBOX = "no_mailbox"
    LATER_AFTER_DATA = "later_after_data"
    REPLY_LOST = "reply_lost"  # it has the mail
    MAIL_LOST = "mail_lost"  # it has not; for the sender the same
    DIES_PREPARING = "dies_preparing"
    DIES_BEFORE = "dies_before"
    DIES_AFTER = "dies_after"
    OPTS_OUT = "opts_out"  # the customer does, while the connection is prepared
    PAUSED = "paused"  # while preparing; another sender works meanwhile
    TAKEN_FOR_DEAD = "taken_for_dead"  # the same, and somebody queued our message again
    SWITCHED_OFF = "switched_off"  # while preparing: the kill switch is set


DIES = frozenset({Fate.DIES_PREPARING, Fate.DIES_BEFORE, Fate.DIES_AFTER})
MEANWHILE = frozenset({Fate.OPTS_OUT, Fate.PAUSED, Fate.TAKEN_FOR_DEAD, Fate.SWITCHED_OFF})
DOUBTFUL = frozenset({Fate.REPLY_LOST, Fate.MAIL_LOST})
PUT_OFF = frozenset({Fate.LATER, Fate.LATER_AFTER_DATA, Fate.DOWN})


class KilledError(BaseException):
    """The end of a sender: no `except Exception` catches it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One mail that somebody finds in their inbox."""

    order: int
    message_id: str
    to: str
    content: bytes


@dataclass
class Provider:
    """What it has delivered, and the fates of the next mails; after those all are taken."""

    fates: deque[Fate] = field(default_factory=deque)
    befalls: str | None = None
    """To whom the mails go that have a fate; None: to anybody."""
    tried: list[tuple[str, datetime, bytes]] = field(default_factory=list)
    """Message-ID, when it was frozen, and its bytes, of every try."""
    delivered: list[Delivered] = field(default_factory=list)
    meanwhile: Callable[[Fate, str], None] = lambda _fate, _recipient: None
    on_taken: Callable[[Delivered], None] = lambda _mail: None
    _fate: Fate = Fate.TAKEN

    def route_for(self, recipient: str) -> str:
        return "smtp"

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None

    def prepare(self, mail: Envelope) -> None:
        self.tried.append((mail.message_id, mail.frozen_at, mail.content))
        fate = self._fate_of(mail.recipient)
        if fate in MEANWHILE:
            self.meanwhile(fate, mail.recipient)
            fate = Fate.TAKEN
        self._fate = fate
        match fate:
            case Fate.DIES_PREPARING:
                raise KilledError
            case Fate.LATER:
                raise NotSentError("450 at RCPT")
            case Fate.DOWN:
                raise ChannelDownError("ConnectionRefusedError when connecting")
            case Fate.NO_MAILBOX:
                raise NoSuchMailboxError("550 at RCPT")

    def _fate_of(self, recipient: str) -> Fate:
        if not self.fates or self.befalls not in {None, recipient}:
            return Fate.TAKEN
        return self.fates.popleft()

    def hand_over(self, mail: Envelope) -> str:
        match self._fate:
            case Fate.DIES_BEFORE:
                raise KilledError
            case Fate.REFUSED:
                raise RefusedError("554 at DATA")
            case Fate.LATER_AFTER_DATA:
                raise NotSentError("451 at DATA")
            case Fate.MAIL_LOST:
                raise UnconfirmedError("SMTPServerDisconnected at DATA")
        order = len(self.delivered)
        taken = Delivered(order, mail.message_id, mail.recipient, mail.content)
        self.delivered.append(taken)
        self.on_taken(taken)
        if self._fate is Fate.DIES_AFTER:
            raise KilledError
        if self._fate is Fate.REPLY_LOST:
            raise UnconfirmedError("SMTPServerDisconnected at DATA")
        return f"q{order}"

    def close(self) -> None:
        """There is nothing open."""

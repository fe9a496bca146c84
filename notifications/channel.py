"""What a channel is: something that takes one message, and says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from voc.errors import NotSentError, RefusedError
from voc.models import DeliveryChannel


class Capability(StrEnum):
    """What can be done about a lost reply. The outbox obeys it."""

    IDEMPOTENT = "idempotent"  # handing over twice is handing over once: it may be repeated
    LOOKUP = "lookup"  # it can be asked; "there" is proof, "not there" is none
    NEITHER = "neither"  # a person decides


class ChannelDownError(NotSentError):
    """The channel works for nobody just now; it is not about this message. Others wait, too."""


class NoSuchMailboxError(RefusedError):
    """There is no such mailbox, or no such telephone: never write there again."""


class OptedOutError(RefusedError):
    """The recipient told the provider to stop, and it keeps to that: so do we."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One frozen message and where it goes. Exactly one recipient: there is no field for two."""

    channel: DeliveryChannel = DeliveryChannel.EMAIL
    message_id: str
    """The same at every attempt; for mail its Message-ID."""
    sender: str
    """Who gets what comes back: for mail the envelope's sender."""
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    frozen_at: datetime
    """When the bytes were frozen."""


class Channel(Protocol):
    """A way out. `prepare` comes before we write down that we are sending, `hand_over` after."""

    def route_for(self, recipient: str) -> str:
        """The name of the way that a message to *recipient* takes. It is stored with it."""
        ...

    def capability_of(self, route: str) -> Capability:
        """What can be done about a reply that was lost on *route*."""
        ...

    def prepare(self, mail: Envelope) -> None:
        """Do everything that can fail harmlessly. May be called again without `hand_over`.

        Raises:
            NotSentError: It may work later.
            ChannelDownError: It may work later, and until then for no message.
            RefusedError: The other side said no, for good.
        """
        ...

    def hand_over(self, mail: Envelope) -> str:
        """Hand over what was prepared; what the provider calls it, or "" if it does not say.

        An error of any other kind than these counts as unconfirmed, too.

        Raises:
            NotSentError: The other side has not taken it, and said "later".
            RefusedError: The other side has not taken it, for good.
            UnconfirmedError: Nobody knows. What follows depends on the capability.
        """
        ...

    def look_up(self, route: str, mail: Envelope) -> str | None:
        """What the provider calls this message if *route* has it for certain.

        None if it has not, or if that cannot be known: nothing is sent again on the strength
        of it.
        """
        ...

    def close(self) -> None:
        """End what is open. Never raises: all that was handed over has been answered."""
        ...

"""What a channel is: something that takes one mail, and says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from voc.errors import NotSentError, RefusedError


class ChannelDownError(NotSentError):
    """The channel works for nobody just now; it is not about this message. Others wait, too."""


class NoSuchMailboxError(RefusedError):
    """The recipient's server says that there is no such mailbox: never write there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One frozen mail and where it goes. Exactly one recipient: there is no field for two."""

    message_id: str
    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


class Channel(Protocol):
    """A way out. `prepare` comes before we write down that we are sending, `hand_over` after."""

    def route_for(self, recipient: str) -> str:
        """The name of the way that mail to *recipient* takes. It is stored with the message."""
        ...

    def prepare(self, mail: Envelope) -> None:
        """Do everything that can fail harmlessly. May be called again without `hand_over`.

        Raises:
            NotSentError: It may work later.
            ChannelDownError: It may work later, and until then for no message.
            RefusedError: The other side said no, for good.
        """
        ...

    def hand_over(self, mail: Envelope) -> None:
        """Hand over what was prepared. An error of any other kind counts as unconfirmed, too.

        Raises:
            NotSentError: The other side has not taken it, and said "later".
            RefusedError: The other side has not taken it, for good.
            UnconfirmedError: Nobody knows. It is not tried again.
        """
        ...

    def has_taken(self, route: str, message_id: str) -> bool | None:
        """Whether *route* has this mail for certain; None if that cannot be known (SMTP).

        False is a promise: the mail is sent again on the strength of it.
        """
        ...

    def close(self) -> None:
        """End what is open. Never raises: all that was handed over has been answered."""
        ...

"""Who may be written to: everybody, some, or nobody (everything goes to the local mailbox)."""

from __future__ import annotations

from collections.abc import Collection

from notifications.channel import Channel, Envelope
from notifications.mailbox import MailboxChannel
from notifications.smtp import SmtpChannel
from voc.settings import Settings


def open_channel(settings: Settings) -> Channel:
    """The channel that this machine's delivery mode asks for. Opens no connection yet."""
    mailbox = MailboxChannel(settings.mailbox)
    match settings.delivery:
        case "off":
            return mailbox
        case "live":
            return SmtpChannel(settings.smtp)
        case "allowlist":
            smtp = SmtpChannel(settings.smtp)
            return AllowlistChannel(smtp, mailbox, allowed=settings.delivery_allowlist)


class AllowlistChannel:
    """The real way out for the recipients on a list, the mailbox for all others.

    Args:
        allowed: Addresses, or whole domains written as "@example.com".
    """

    def __init__(self, real: Channel, mailbox: Channel, *, allowed: Collection[str]) -> None:
        self._real = real
        self._mailbox = mailbox
        self._allowed = {entry.strip().casefold() for entry in allowed}

    def route_for(self, recipient: str) -> str:
        return self._for(recipient).route_for(recipient)

    def prepare(self, mail: Envelope) -> None:
        self._for(mail.recipient).prepare(mail)

    def hand_over(self, mail: Envelope) -> None:
        self._for(mail.recipient).hand_over(mail)

    def has_taken(self, route: str, message_id: str) -> bool | None:
        known = (channel.has_taken(route, message_id) for channel in (self._mailbox, self._real))
        return next((answer for answer in known if answer is not None), None)

    def close(self) -> None:
        self._real.close()
        self._mailbox.close()

    def _for(self, recipient: str) -> Channel:
        address = recipient.casefold()
        domain = address[address.rfind("@") :]
        return self._real if {address, domain} & self._allowed else self._mailbox

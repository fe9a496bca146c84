"""Who may be written to: everybody, some, or nobody (everything goes to the local mailbox)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from notifications.apprise_alerts import AppriseChannel
from notifications.channel import Capability, Channel, Envelope
from notifications.chat import ChatChannel
from notifications.mailbox import MailboxChannel
from notifications.reviews import ReviewChannel
from notifications.sms import TwilioChannel
from notifications.smtp import SmtpChannel
from notifications.webhooks import WebhookChannel
from voc.models import DeliveryChannel
from voc.settings import Settings

Channels = Mapping[DeliveryChannel, Channel]


def open_channels(settings: Settings) -> Channels:
    """The ways out that this machine's delivery mode asks for. Opens no connection yet.

    One that is not set up says so when it is asked to prepare a message, which then waits.
    """
    mailbox = MailboxChannel(settings.mailbox)
    if settings.delivery == "off":
        return dict.fromkeys(DeliveryChannel, mailbox)
    real: dict[DeliveryChannel, Channel] = {
        DeliveryChannel.EMAIL: SmtpChannel(settings.smtp),
        DeliveryChannel.SMS: TwilioChannel(settings.twilio, public_url=settings.public_url),
        DeliveryChannel.REVIEW: ReviewChannel(settings.reviews),
        DeliveryChannel.SLACK: ChatChannel("slack", settings.alert_urls),
        DeliveryChannel.TEAMS: ChatChannel("teams", settings.alert_urls),
        DeliveryChannel.APPRISE: AppriseChannel(settings.alert_urls),
        DeliveryChannel.WEBHOOK: WebhookChannel(settings.webhooks, clock=lambda: datetime.now(UTC)),
    }
    if settings.delivery == "live":
        return real
    allowed = settings.delivery_allowlist
    return {
        name: AllowlistChannel(channel, mailbox, allowed=allowed) for name, channel in real.items()
    }


def close_all(channels: Channels) -> None:
    """Close each once, however many names it has."""
    for channel in {id(channel): channel for channel in channels.values()}.values():
        channel.close()


class AllowlistChannel:
    """The real way out for the recipients on a list, the mailbox for all others.

    Args:
        allowed: Addresses, or whole domains written as "@example.com"; telephone numbers, names
            of alert routes and webhooks, and addresses of reviews.
    """

    def __init__(self, real: Channel, mailbox: Channel, *, allowed: Collection[str]) -> None:
        self._real = real
        self._mailbox = mailbox
        self._allowed = {entry.strip().casefold() for entry in allowed}

    def route_for(self, recipient: str) -> str:
        return self._for(recipient).route_for(recipient)

    def prepare(self, mail: Envelope) -> None:
        self._for(mail.recipient).prepare(mail)

    def hand_over(self, mail: Envelope) -> str:
        return self._for(mail.recipient).hand_over(mail)

    def capability_of(self, route: str) -> Capability:
        return self._of_route(route).capability_of(route)

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return self._of_route(route).look_up(route, mail)

    def _of_route(self, route: str) -> Channel:
        return self._mailbox if route == "mailbox" else self._real

    def close(self) -> None:
        self._real.close()
        self._mailbox.close()

    def _for(self, recipient: str) -> Channel:
        address = recipient.casefold()
        _, at, domain = address.rpartition("@")
        named = {address, f"@{domain}"} if at else {address}
        return self._real if named & self._allowed else self._mailbox

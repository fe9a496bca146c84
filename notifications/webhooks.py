"""The way out to other programs: CloudEvents, signed as Standard Webhooks asks for.

A receiver knows a message again by its `webhook-id`, so handing over twice is handing over once:
whatever is in doubt is simply sent again, with the same id and the same bytes. Their "no" may be a
mistake of theirs; so it is tried again, too, for as long as anything is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import SecretStr
from standardwebhooks import Webhook

from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.chat import alert_route
from notifications.posting import Poster, require_taken
from voc.errors import NotSentError, RefusedError
from voc.rules.cloud_events import MEDIA_TYPE
from voc.targets import WebhookTarget

TIMEOUT_S = 20.0


class WebhookChannel:
    """Posts frozen events to the address of a webhook. Each is a route of its own.

    Args:
        targets: Addresses and secrets, by the webhooks' names.
        clock: What time it is: receivers refuse what was signed long ago.
    """

    def __init__(
        self, targets: Mapping[str, WebhookTarget], *, clock: Callable[[], datetime]
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._poster = Poster(TIMEOUT_S)

    def route_for(self, recipient: str) -> str:
        return alert_route("webhook", recipient)

    def capability_of(self, route: str) -> Capability:
        return Capability.IDEMPOTENT

    def prepare(self, mail: Envelope) -> None:
        """Nothing but address and secret can be looked at beforehand."""
        self._target(mail.recipient)

    def hand_over(self, mail: Envelope) -> str:
        """Post it, signed anew with the time of this attempt. The receiver names nothing."""
        target = self._target(mail.recipient)
        reply = self._poster.send(
            "POST",
            target.url.get_secret_value(),
            headers=signed_headers(target.secret, mail, self._clock()),
            content=mail.content,
        )
        try:
            require_taken(reply)
        except RefusedError as exc:
            raise NotSentError(str(exc)) from None
        return ""

    def look_up(self, route: str, mail: Envelope) -> str | None:
        """Nothing to look up: it may be handed over again."""
        return None

    def close(self) -> None:
        self._poster.close()

    def _target(self, name: str) -> WebhookTarget:
        if (target := self._targets.get(name)) is None:
            variable = f"VOC_WEBHOOKS__{name.upper()}__URL"
            raise ChannelDownError(f"{variable} is not set")
        return target


def signed_headers(secret: SecretStr, mail: Envelope, now: datetime) -> dict[str, str]:
    """What goes with the bytes: which message it is, when it was signed, and the signature."""
    number = webhook_id(mail.message_id)
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret.get_secret_value()).sign(
            number, now, mail.content.decode()
        ),
    }


def webhook_id(message_id: str) -> str:
    """The same at every attempt. Without the dots of a Message-ID: they part what is signed."""
    return f"msg_{message_id.strip('<>').partition('@')[0]}"

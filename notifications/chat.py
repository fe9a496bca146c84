"""Ways out to rooms where colleagues are alerted: Slack and Teams, each by a webhook.

A message's recipient is the *name* of an alert route. Its address is a secret of this machine and
stays here: it is in no error, log or row. Neither service can be asked what it has, and neither
knows a message again, so a lost reply stays in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.posting import Poster, Reply, require_taken
from voc.errors import UnconfirmedError

TIMEOUT_S = 30.0
ROUTE_LENGTH = 64
ROOM_IS_GONE = (b"channel_is_archived", b"channel_not_found", b"no_service", b"no_team")


class ChatChannel:
    """Posts frozen JSON to the address of a route. Each room is a route of its own.

    Args:
        service: "slack" or "teams", as routes are named after it.
        urls: By route name.
    """

    def __init__(self, service: str, urls: Mapping[str, SecretStr]) -> None:
        self._service = service
        self._urls = urls
        self._poster = Poster(TIMEOUT_S)

    def route_for(self, recipient: str) -> str:
        return alert_route(self._service, recipient)

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def prepare(self, mail: Envelope) -> None:
        """Nothing but the address can be looked at beforehand: every request is a message."""
        url_of(self._urls, mail.recipient)

    def hand_over(self, mail: Envelope) -> str:
        """Post it. Neither service says what it calls the message."""
        reply = self._poster.send(
            "POST",
            url_of(self._urls, mail.recipient),
            headers={"Content-Type": "application/json"},
            content=mail.content,
        )
        self._require(reply)
        return ""

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None

    def close(self) -> None:
        self._poster.close()

    def _require(self, reply: Reply) -> None:
        """`require_taken`; a success must also be Slack's own, not a login page's."""
        if reply.body.strip() in ROOM_IS_GONE:
            raise ChannelDownError(f"HTTP {reply.status}: the room is gone")
        require_taken(reply)
        if self._service == "slack" and reply.body.strip() != b"ok":
            raise UnconfirmedError("an answer that is not ok")


def alert_route(service: str, name: str) -> str:
    """What a room is called as a way out."""
    return f"{service}:{name}"[:ROUTE_LENGTH]


def url_of(urls: Mapping[str, SecretStr], name: str) -> str:
    """The address of an alert route.

    Raises:
        ChannelDownError: This machine knows none.
    """
    if (url := urls.get(name)) is None:
        raise ChannelDownError("VOC_ALERT_URLS has no address for this alert route")
    return url.get_secret_value()

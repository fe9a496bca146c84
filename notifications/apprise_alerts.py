"""The way out to any other service that colleagues are alerted by, through apprise.

It says whether it worked and never why not: a "no" may have been said before or after the
service took the message. So every failure after the first byte is in doubt, as for any channel
that can only be asked once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from notifications.channel import Capability, ChannelDownError, Envelope
from notifications.chat import alert_route, url_of
from voc.errors import UnconfirmedError

if TYPE_CHECKING:
    from apprise import Apprise  # imported where it is used: most never need it

TALKATIVE = ("apprise", "urllib3", "requests")
"""They write addresses, which are secrets here, to their logs."""


class AppriseChannel:
    """Hands title and body to apprise, for one service at a time.

    Args:
        urls: By route name, in apprise's own form: ``mailto://``, ``ntfy://``, ``json://``.
    """

    def __init__(self, urls: Mapping[str, SecretStr]) -> None:
        self._urls = urls

    def route_for(self, recipient: str) -> str:
        return alert_route("apprise", recipient)

    def capability_of(self, route: str) -> Capability:
        return Capability.NEITHER

    def prepare(self, mail: Envelope) -> None:
        """Whether apprise knows such a service. It can be asked for nothing else beforehand."""
        if not self._service(mail):
            raise ChannelDownError("apprise does not understand this route's address")

    def hand_over(self, mail: Envelope) -> str:
        """Hand it over once. apprise tells no id."""
        from apprise import NotifyFormat

        alert = json.loads(mail.content)
        taken = self._service(mail).notify(
            title=alert["title"], body=alert["body"], body_format=NotifyFormat.TEXT
        )
        if not taken:
            raise UnconfirmedError("apprise says no, and not why")
        return ""

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return None

    def close(self) -> None:
        """Nothing stays open."""

    def _service(self, mail: Envelope) -> Apprise:
        import apprise

        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asset = apprise.AppriseAsset(app_id="vocloop", app_desc="vocloop", async_mode=False)
        service = apprise.Apprise(asset=asset)
        service.add(url_of(self._urls, mail.recipient))
        return service

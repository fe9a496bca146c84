"""The way out by text message, over Twilio's API.

It knows no key that makes a message unique, so a lost reply is looked up: the body holds a link
that no other message has. Found is proof; not found is none, its list may lag.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import phonenumbers

from notifications.channel import (
    Capability,
    ChannelDownError,
    Envelope,
    NoSuchMailboxError,
    OptedOutError,
)
from notifications.posting import (
    Poster,
    Reply,
    only_looking,
    provider_id,
    require_taken,
)
from voc.errors import DeliveryError, RefusedError, UnconfirmedError
from voc.settings import TwilioSettings

ROUTE = "twilio"
STATUS_HOOK = "/hooks/twilio/status"
BAD_REQUEST = 400

NO_SUCH_TELEPHONE = {21211, 21614}  # not a number; not a mobile one
OPTED_OUT = {21610}
OUR_SENDER = {21603, 21606, 21703, 21705}  # the number or service that we send from is none
LONGEST = 1600  # letters that it takes
PAGES = 20


class TwilioChannel:
    """Text messages through one account.

    Args:
        public_url: Where the provider reports what became of a message.
    """

    def __init__(self, settings: TwilioSettings, *, public_url: str) -> None:
        self._settings = settings
        self._callback = f"{public_url.rstrip('/')}{STATUS_HOOK}"
        self._poster = Poster(settings.timeout_s)
        self._is_open = False

    def route_for(self, recipient: str) -> str:
        return ROUTE

    def capability_of(self, route: str) -> Capability:
        return Capability.LOOKUP

    def prepare(self, mail: Envelope) -> None:
        """Look at the number, and once at the account: a wrong login costs no message."""
        if not (self._settings.account_sid and self._settings.sender):
            raise ChannelDownError("VOC_TWILIO__ACCOUNT_SID and VOC_TWILIO__SENDER are not set")
        if not is_telephone(mail.recipient):
            raise RefusedError("not a telephone number with its country code")
        if len(mail.content.decode()) > LONGEST:
            raise RefusedError(f"longer than {LONGEST} letters")
        if not self._is_open:
            with only_looking():
                _require(self._ask("GET", f"{self._account}.json"))
            self._is_open = True

    def hand_over(self, mail: Envelope) -> str:
        """Queue it with the provider, and return its sid."""
        sender = self._settings.sender
        reply = self._ask(
            "POST",
            f"{self._account}/Messages.json",
            form={
                "To": mail.recipient,
                "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
                "Body": mail.content.decode(),
                "StatusCallback": self._callback,
            },
        )
        _require(reply)
        if not (sid := provider_id(_object(reply).get("sid"))):
            raise UnconfirmedError("an answer without a sid")
        return sid

    def look_up(self, route: str, mail: Envelope) -> str | None:
        """The sid of the message to this number with exactly these words."""
        if route != ROUTE:
            return None
        body = mail.content.decode()
        try:
            for message in self._listed(mail):
                if message.get("body") == body and (sid := provider_id(message.get("sid"))):
                    return sid
        except DeliveryError:
            return None  # it cannot be known just now
        return None

    def close(self) -> None:
        self._poster.close()
        self._is_open = False

    @property
    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{quote(self._settings.account_sid, safe='')}"

    def _listed(self, mail: Envelope) -> Iterator[dict[str, Any]]:
        since = (mail.frozen_at - timedelta(days=1)).date().isoformat()
        path: str | None = f"{self._account}/Messages.json"
        params = {"To": mail.recipient, "DateSent>": since, "PageSize": "100"}
        for _ in range(PAGES):
            if path is None:
                return
            reply = self._ask("GET", path, params=params)
            _require(reply)
            found = _object(reply)
            messages = found.get("messages")
            yield from (m for m in messages or () if isinstance(m, dict))
            path, params = self._next(found.get("next_page_uri")), {}

    def _next(self, uri: object) -> str | None:
        """The next page, if it is one of this account's list."""
        if isinstance(uri, str) and urlsplit(uri).path == f"{self._account}/Messages.json":
            return uri if uri.startswith("/") else None
        return None

    def _ask(self, method: str, path: str, **parts: Any) -> Reply:
        s = self._settings
        login = f"{s.account_sid}:{s.auth_token.get_secret_value()}".encode()
        headers = {"Authorization": f"Basic {b64encode(login).decode()}"}
        parts = {name: value for name, value in parts.items() if value}
        return self._poster.send(
            method, f"{s.base_url.rstrip('/')}{path}", headers=headers, **parts
        )


def is_telephone(recipient: str) -> bool:
    """Whether it is a whole number with its country code, such as +4915112345678."""
    try:
        number = phonenumbers.parse(recipient, None)
    except phonenumbers.NumberParseException:
        return False
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return phonenumbers.is_possible_number(number) and whole == recipient


def _require(reply: Reply) -> None:
    """`require_taken`, with what Twilio's own codes say beyond the status."""
    if reply.status == BAD_REQUEST and isinstance(code := _object(reply).get("code"), int):
        said = f"HTTP 400, code {code}"
        if code in NO_SUCH_TELEPHONE:
            raise NoSuchMailboxError(said)
        if code in OPTED_OUT:
            raise OptedOutError(said)
        if code in OUR_SENDER:
            raise ChannelDownError(said)
        raise RefusedError(said)
    require_taken(reply)


def _object(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

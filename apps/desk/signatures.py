"""Whether a provider sent this: signatures over what came in, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from voc.company.hooks import SLACK
from voc.targets import is_standard_key

PORTS = {"https": 443, "http": 80}
TOLERANCE_S = 300
SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSecrets:
    """What providers sign with. Without its secret a provider is not listened to."""

    public_url: str = ""
    """Where providers reach us: Twilio signs the address that it calls."""
    twilio: SecretStr = field(default_factory=lambda: SecretStr(""))
    by_name: Mapping[str, Sequence[SecretStr]] = field(default_factory=dict)
    """One each; two while it is changed."""

    def keys_of(self, name: str) -> list[str]:
        """What the provider of this name may sign with. An empty secret is none: all have it."""
        return [key for each in self.by_name.get(name, ()) if (key := each.get_secret_value())]


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a posted form, empty ones included."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def is_twilio(secrets: HookSecrets, path: str, body: bytes, signature: str) -> bool:
    """Whether Twilio sent this form to our address: HMAC-SHA1 over the address and all fields."""
    token = secrets.twilio.get_secret_value()
    if not token:
        return False
    fields = "".join(name + value for name, value in sorted(set(form_of(body))))
    expected = (
        b64encode(hmac.new(token.encode(), (url + fields).encode(), hashlib.sha1).digest()).decode()
        for url in _spellings(secrets.public_url.rstrip("/") + path)
    )
    return _is_one_of(expected, signature)


def is_standard(secrets: HookSecrets, name: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the provider of this name sent just these bytes within the last five minutes."""
    keys = filter(is_standard_key, secrets.keys_of(name))
    return any(_is_verified(key, body, dict(headers)) for key in keys)


def _is_verified(key: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(key).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library splits and decodes headers
        return False
    return True


def is_typeform(secrets: HookSecrets, name: str, body: bytes, signature: str) -> bool:
    """Whether Typeform sent just these bytes to the webhook of this name. It signs no time."""
    digests = (_digest(key, body) for key in secrets.keys_of(name))
    expected = (f"sha256={b64encode(digest).decode()}" for digest in digests)
    return _is_one_of(expected, signature)


def is_slack(
    secrets: HookSecrets, body: bytes, headers: Mapping[str, str], *, now: datetime
) -> bool:
    """Whether Slack sent just these bytes within the last five minutes."""
    sent = headers.get("x-slack-request-timestamp", "")
    if not SECONDS.fullmatch(sent) or abs(now.timestamp() - int(sent)) > TOLERANCE_S:
        return False
    signed = b":".join((b"v0", sent.encode(), body))
    expected = (f"v0={_digest(key, signed).hex()}" for key in secrets.keys_of(SLACK))
    return _is_one_of(expected, headers.get("x-slack-signature", ""))


def _digest(key: str, signed: bytes) -> bytes:
    return hmac.new(key.encode(), signed, hashlib.sha256).digest()


def _is_one_of(expected: Iterable[str], signature: str) -> bool:
    """Compared in constant time."""
    return any(hmac.compare_digest(each.encode(), signature.encode()) for each in expected)


def _spellings(url: str) -> Iterator[str]:
    """The address with its port and without: Twilio's own products differ in that."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or PORTS.get(parts.scheme, 443)
    yield parts._replace(netloc=host).geturl()
    yield parts._replace(netloc=f"{host}:{port}").geturl()

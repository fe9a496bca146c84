"""Keyed digests: what must be the same for us every time, and like dice for everyone else."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32decode, b32encode
from enum import StrEnum

from voc.models import LinkPurpose

LINK = re.compile(r"https?://\S+")
TOKEN_BYTES = 20  # 160 bits: 32 letters, no padding
RETURN_KEY_BYTES, RETURN_SEAL_BYTES = 5, 10  # together 24 letters: 64 is the most before an @


def digest(secret: bytes, purpose: str, text: str) -> bytes:
    """HMAC-SHA256 of *text*; digests for different purposes never meet."""
    return hmac.new(secret, f"{purpose}|{text}".encode(), hashlib.sha256).digest()


def token(secret: bytes, purpose: str, text: str) -> str:
    """32 letters and digits that nobody can guess without the secret."""
    return b32encode(digest(secret, purpose, text)[:TOKEN_BYTES]).decode().lower()


def message_key(subject: str, step: str, channel: str, recipient: str) -> str:
    """A message's unique key in one string. Attempts and templates are no part of it."""
    return "|".join((subject, step, channel, recipient))


def message_id(secret: bytes, key: str, domain: str) -> str:
    """The Message-ID of the message with this key: the same at every attempt.

    Receivers that drop repeated Message-IDs then drop a copy even if a person sends again.
    """
    return f"<{token(secret, 'message-id', key)}@{domain}>"


def link_token(secret: bytes, purpose: LinkPurpose, key: str) -> str:
    """The token of one link in the message with this key. It says nothing to its holder."""
    return token(secret, f"link-{purpose}", key)


def words_hash(secret: bytes, channel: str, recipient: str, text: str) -> str:
    """Of whom a message goes to and what it says, without its links: those differ by message.

    64 hex digits that say nothing to who lacks the secret.
    """
    words = " ".join(LINK.sub("", text).split())
    return digest(secret, "words", "|".join((channel, recipient.casefold(), words))).hex()


def token_hash(link_token: str) -> str:
    """What we keep of a token: `Link.token_hash`. Mail programs may change the case of a link."""
    return hashlib.sha256(link_token.strip().lower().encode()).hexdigest()


class ReturnPurpose(StrEnum):
    """What arrives at an address that we gave out with one message. The value stands in it."""

    BOUNCE = "b"
    REPLY = "r"
    UNSUBSCRIBE = "u"


def return_token(secret: bytes, purpose: ReturnPurpose, message_row_id: int) -> str:
    """A token that names the message to us alone: 24 letters and digits, fit for an address."""
    key = message_row_id.to_bytes(RETURN_KEY_BYTES)
    return b32encode(key + _return_seal(secret, purpose, key)).decode().lower()


def read_return_token(secret: bytes, purpose: ReturnPurpose, token: str) -> int | None:
    """The id of the message that *token* was made for; None if we never made it for *purpose*.

    Mail servers may change the case of what stands before the @.
    """
    try:
        raw = b32decode(token, casefold=True)
    except (ValueError, TypeError):
        return None
    key, seal = raw[:RETURN_KEY_BYTES], raw[RETURN_KEY_BYTES:]
    if not hmac.compare_digest(seal, _return_seal(secret, purpose, key)):
        return None
    return int.from_bytes(key)


def return_address(address: str, secret: bytes, purpose: ReturnPurpose, message_row_id: int) -> str:
    """*address* as one message gives it out: care@example.com is care+b-TOKEN@example.com."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{purpose}-{return_token(secret, purpose, message_row_id)}@{domain}"


def _return_seal(secret: bytes, purpose: ReturnPurpose, key: bytes) -> bytes:
    return digest(secret, f"return-{purpose}", key.hex())[:RETURN_SEAL_BYTES]

"""Keyed digests: what must be the same for us every time, and like dice for everyone else."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode

from voc.models import LinkPurpose

TOKEN_BYTES = 20  # 160 bits: 32 letters, no padding


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


def token_hash(link_token: str) -> str:
    """What we keep of a token: `Link.token_hash`. Mail programs may change the case of a link."""
    return hashlib.sha256(link_token.strip().lower().encode()).hexdigest()

"""Encrypting what may be read again later, but by nobody in between."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from voc.errors import ConfigurationError


class Seal:
    """Fernet (AES-128-CBC with HMAC-SHA256) under a key of its own, derived from the secret."""

    def __init__(self, secret: bytes) -> None:
        key = hashlib.blake2b(b"quarantine", key=secret[:64], digest_size=32).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, raw: bytes) -> bytes:
        return self._fernet.encrypt(raw)

    def open(self, sealed: bytes) -> str:
        """The text again.

        Raises:
            ConfigurationError: It was sealed under another secret.
        """
        try:
            return self._fernet.decrypt(sealed).decode("utf-8", "surrogatepass")
        except InvalidToken:
            raise ConfigurationError(
                "quarantine: sealed under another secret; set VOC_SECRET_KEY to the one of then"
            ) from None

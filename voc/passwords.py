"""Passwords: kept as Argon2id, and checked in the same time whether there is an account or not."""

from __future__ import annotations

import unicodedata
from functools import cache
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# What OWASP asks for at least: 19 MiB, two passes, one lane. It fits a small machine that is busy.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = Semaphore(4)  # so that the memory does not grow with those who ask


def hash_password(password: str) -> str:
    """What is kept of *password*."""
    with _AT_ONCE:
        return _HASHER.hash(_spelt(password))


def is_password(password: str, kept: str | None) -> bool:
    """Whether *kept* is what is kept of *password*. None never is, and takes as long."""
    with _AT_ONCE:
        try:
            _HASHER.verify(kept or _of_nobody(), _spelt(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def is_outdated(kept: str) -> bool:
    """Whether *kept* was made with less effort than we make today."""
    return _HASHER.check_needs_rehash(kept)


def _spelt(password: str) -> bytes:
    """One spelling: keyboards differ in how they write the same letter."""
    text = password.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", text).encode()


@cache
def _of_nobody() -> str:
    return _HASHER.hash(b"nobody's password")

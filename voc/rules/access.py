"""Who gets in, for how long, with what password."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

SESSION_LASTS = timedelta(hours=12)
"""After that everybody signs in again, however busy they were."""
IDLE_FOR = timedelta(minutes=60)
"""Whoever was not here for that long signs in again."""
PASSWORD_LINK_LASTS = timedelta(days=3)
LONGEST_PATH = 1_000
LEAST_LETTERS, MOST_LETTERS = 12, 256

_OURS = re.compile(r"/desk(?:[/?][^\\\x00-\x20\x7f]*)?")


def password_problem(password: str, email: str) -> str | None:
    """Why *password* will not do for the account of *email*, in a sentence; None if it will."""
    if len(password) < LEAST_LETTERS:
        return f"A password has at least {LEAST_LETTERS} characters: several words do well."
    if len(password) > MOST_LETTERS:
        return f"A password has at most {MOST_LETTERS} characters."
    if password.strip().casefold() == email.casefold():
        return "The e-mail address is no password: everybody knows it."
    return None


def own_path(wanted: str) -> str:
    """*wanted* if it is an address of the desk, else where the desk begins.

    Whoever sends somebody a link to the sign-in page cannot choose where they are afterwards.
    """
    is_ours = len(wanted) <= LONGEST_PATH and _OURS.fullmatch(wanted)
    return wanted if is_ours else "/desk"


def subject_key(issuer: str, subject: str) -> str:
    """What an account is bound to: the same *subject* elsewhere is somebody else."""
    return hashlib.sha256(f"{issuer}|{subject}".encode()).hexdigest()

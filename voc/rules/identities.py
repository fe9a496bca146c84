"""Handles in one spelling, so that the same person is found again."""

from __future__ import annotations

import unicodedata

import phonenumbers

from voc.models import IdentityKind

STRENGTH = (IdentityKind.ACCOUNT, IdentityKind.EMAIL, IdentityKind.PHONE, IdentityKind.HANDLE)
"""Which handle to believe when two point at different customers: strongest first."""


def normalise_identity(kind: IdentityKind, value: str, *, region: str = "GB") -> str | None:
    """The one spelling of a handle, or None if it is no such thing.

    E-mail addresses are case-folded as a whole: providers that tell apart `Kim@` and `kim@`
    do not occur, people who write both do.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if kind is IdentityKind.EMAIL:
        text = text.casefold()
        local, at, domain = text.rpartition("@")
        return text if at and local and "." in domain and " " not in text else None
    if kind is IdentityKind.PHONE:
        return _e164(text, region)
    if kind is IdentityKind.HANDLE:
        return text.casefold() or None
    return text or None


def _e164(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

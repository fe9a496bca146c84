"""Handles in one spelling, so that the same person is found again."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import phonenumbers

from voc.models import IdentityKind

STRENGTH = (IdentityKind.ACCOUNT, IdentityKind.EMAIL, IdentityKind.PHONE, IdentityKind.HANDLE)
"""Which handle to believe when two point at different customers: strongest first."""

LEAST_ACCOUNT = 5
"""An account's number that is shorter is not hinted at: its end would be half of it."""


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


def possible_handles(
    text: str, *, regions: Sequence[str], platforms: Sequence[str]
) -> list[tuple[IdentityKind, str]]:
    """What handles somebody may mean who types *text*, each in its one spelling.

    Args:
        regions: Where a telephone number without a country code may be from.
        platforms: Where a name without one ("@kim", not "mastodon:@kim") may be known.
    """
    text = text.strip()
    names = [text] if ":" in text else [f"{platform}:{text}" for platform in platforms]
    typed = [(IdentityKind.ACCOUNT, text, "GB"), (IdentityKind.EMAIL, text, "GB")]
    if any(sign.isdigit() for sign in text) and "@" not in text:
        typed += [(IdentityKind.PHONE, text, region) for region in regions]
    if text.startswith("@") or ":" in text:
        typed += [(IdentityKind.HANDLE, name, "GB") for name in names]
    found = ((k, normalise_identity(k, value, region=region)) for k, value, region in typed)
    return list(dict.fromkeys((kind, value) for kind, value in found if value))


def masked_handle(kind: IdentityKind, value: str) -> str:
    """A handle that its owner would recognise, and nobody else could use."""
    match kind:
        case IdentityKind.EMAIL:
            local, _, domain = value.rpartition("@")
            return f"{local[:1]}***@{domain}"
        case IdentityKind.PHONE:
            return f"{_country_code(value)} *** {value[-2:]}"
        case IdentityKind.HANDLE:
            platform, _, name = value.rpartition(":")
            return f"{platform}:{name[:2]}***" if platform else f"{name[:1]}***"
    return f"*** {value[-2:]}" if len(value) >= LEAST_ACCOUNT else "***"


def _country_code(number: str) -> str:
    try:
        return f"+{phonenumbers.parse(number, None).country_code}"
    except phonenumbers.NumberParseException:
        return ""


def _e164(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

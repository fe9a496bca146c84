"""What the customers' pages say, in the languages of our mails. Owners' pages are in English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.desk.tongues import de, en, es

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": en.WORDS, "de": de.WORDS, "es": es.WORDS}
)
DEFAULT = "en"


def choose_language(wanted: str | None, offered: tuple[str, ...]) -> str:
    """The first language of *wanted* that the company writes in and we have words for.

    Args:
        wanted: A customer's language ("de-AT"), or what a browser accepts ("fr, de;q=0.8").
        offered: Of the company file; its first is the fallback.
    """
    ours = [language for language in map(_base, offered) if language in WORDS] or [DEFAULT]
    tags = (_base(part.partition(";")[0]) for part in (wanted or "").split(","))
    return next((tag for tag in tags if tag in ours), ours[0])


def _base(tag: str) -> str:
    return tag.strip().replace("_", "-").partition("-")[0].lower()

"""What an item must be to be feedback, wherever it comes from."""

from __future__ import annotations

from sources.base import RawRating
from voc.models import RatingScale
from voc.rules.ratings import MEANINGS, has_value
from voc.text import normalise

MAX_TEXT = 10_000
MAX_ID = 255
MAX_NAME = 255
MAX_URL = 1024
_TOO_LONG = f"the text is longer than {MAX_TEXT:,} characters; shorten or split it"


class ItemError(ValueError):
    """The item is not feedback. Its text says what is wrong and what would be right, no more."""


def joined_text(*parts: str) -> str:
    """The parts that say something, normalised, with a blank line between them.

    Raises:
        ItemError: Together they are too long.
    """
    require_bearable(*parts)
    text = "\n\n".join(said for part in parts if (said := normalise(part)))
    if len(text) > MAX_TEXT:
        raise ItemError(_TOO_LONG)
    return text


def require_bearable(*parts: str) -> None:
    """Raise `ItemError` for texts so long that even cleaning them to count them is slow."""
    if sum(map(len, parts)) > 10 * MAX_TEXT:
        raise ItemError(_TOO_LONG)


def require_something_said(verbatim: str, rating: RawRating | None) -> None:
    """Raise `ItemError` if there is neither."""
    if not verbatim and rating is None:
        raise ItemError("nothing said: there is neither a text nor a rating")


def rating_on(scale: RatingScale, value: float) -> RawRating:
    """The rating, if its scale has it; `ItemError` otherwise."""
    if not has_value(value, scale):
        meaning = MEANINGS[scale]
        raise ItemError(
            f"the rating is outside of its scale: {scale} is {meaning.low:g} to {meaning.high:g} "
            f"in steps of {meaning.step:g}"
        )
    return RawRating(value=value, scale=scale)


def one_line(text: str, limit: int) -> str | None:
    """*text* as one line of at most *limit* characters; None if nothing is left."""
    return " ".join(normalise(text[: 4 * limit]).split())[:limit].strip() or None


def web_address(text: object) -> str | None:
    """*text* if it is an address that a browser opens, and not longer than we store."""
    if not isinstance(text, str) or not text.startswith(("https://", "http://")):
        return None
    url = one_line(text, MAX_URL + 1)
    return url if url is not None and len(url) <= MAX_URL else None

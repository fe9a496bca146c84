"""Other people's words on a terminal."""

from __future__ import annotations

from notifications.render import clean


def shown(text: str) -> str:
    """*text* on one line, without what moves a cursor, turns other text or cannot be seen."""
    return " ".join(clean(text.replace("\t", " ")).split())

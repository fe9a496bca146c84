"""Public replies to reviews: where one goes, how long it may be, and what it must not say.

Whatever stands below a review is read by everybody. So a reply names nobody, quotes nothing, and
says neither what went wrong inside the company nor what was done about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from voc.company.sources import Console, SourceConfig

LONGEST: dict[Console, int] = {"app_store": 5970, "google": 4096, "play": 350}
"""Letters that each console takes."""

GOOGLE_ID = re.compile(r"accounts/[\w-]+/locations/[\w-]+/reviews/[\w-]+")
PLAY_ID = re.compile(r"[\w:.-]+")
APP_STORE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")

ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.\w+|https?://\S+|(?<!\w)@\w{2,}")
NUMBER = re.compile(r"\d(?:[\s().\-/]{0,2}\d){4,}")
WORD = re.compile(r"\w+")
QUOTED = 4
"""So many words in a row of what the customer wrote are a quotation."""
TELLING = 4
"""Letters of the shortest word of a root cause that gives it away."""


def reply_address(
    source: SourceConfig | None, external_id: str, said_at: datetime, stars: float | None
) -> str:
    """Where a reply to this review goes, as ``CONSOLE:REVIEW``.

    The App Store's public feed has other ids than its console, so its reviews are named by their
    app, moment and stars, by which the console finds them.

    Raises:
        ValueError: There is no such place; the text says what to change.
    """
    console = getattr(source, "console", None)
    if source is None or console is None:
        raise ValueError("its source names no console that replies go to")
    if source.kind == "itunes":
        if stars is None:
            raise ValueError("the review has no stars, by which the console could find it")
        moment = f"{said_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"app_store:apps/{source.app_id}/{moment}/{stars:g}"
    if console == "google" and GOOGLE_ID.fullmatch(external_id):
        return f"google:{external_id}"
    if console == "play" and PLAY_ID.fullmatch(external_id):
        return f"play:{getattr(source, 'console_app', '')}/{external_id}"
    if console == "app_store" and APP_STORE_ID.fullmatch(external_id):
        return f"app_store:{external_id}"
    raise ValueError(f"its id is none of {console}'s: columns.id must be the console's own")


def console_of(address: str) -> Console | None:
    """Which console a reply address is of."""
    name = address.partition(":")[0]
    return next((console for console in LONGEST if console == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What a public reply must not hold, and what of it may stand there all the same."""

    name: str | None
    """What the customer is called."""
    verbatim: str
    internal: tuple[str, ...]
    """Root causes and actions of the loop's tickets."""
    ours: tuple[str, ...]
    """The company's own name and address."""
    usual: str
    """The text as the template has it: its words give nothing away."""


def why_not_public(text: str, console: Console, private: Private) -> str | None:
    """Why *text* must not be published; None if it may. The reason holds none of the words."""
    if len(text) > LONGEST[console]:
        return f"it is longer than the {LONGEST[console]} letters that {console} takes"
    return next(_given_away(text, private), None)


def _given_away(text: str, private: Private) -> Iterator[str]:
    for own in sorted(private.ours, key=len, reverse=True):
        text = text.replace(own, " ")
    words, usual = _words(text), _words(private.usual)
    unusual = set(words) - set(usual)
    if ADDRESS.search(text):
        yield "it holds an address or a link that is not the company's"
    if NUMBER.search(text):
        yield "it holds a long number: of a telephone, an order or a card"
    if set(_words(private.name or "")) & {word for word in unusual if len(word) > 1}:
        yield "it names the customer"
    if (_runs(words) & _runs(_words(private.verbatim))) - _runs(usual):
        yield "it quotes the customer"
    telling = {w for cause in private.internal for w in _words(cause) if len(w) >= TELLING}
    if telling & unusual:
        yield "it tells the cause or the action, which are internal"


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + QUOTED]) for i in range(len(words) - QUOTED + 1)}

"""Where a list goes on, as the address bar holds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from voc.store.message_lists import Spot

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST = 2**53


def written(spot: Spot) -> str:
    """A spot as one word; `read_spot` reads it."""
    return f"{(spot.at - BEGINNING) // MICROSECOND}-{spot.id}"


def read_spot(word: str) -> Spot | None:
    """The spot that *word* names; None, the beginning, for whatever else stands there."""
    micros, _, number = word.partition("-")
    if not (micros.isascii() and micros.isdigit() and number.isascii() and number.isdigit()):
        return None
    if max(len(micros), len(number)) > len(str(LONGEST)):
        return None
    try:
        return Spot(BEGINNING + int(micros) * MICROSECOND, int(number))
    except OverflowError:
        return None

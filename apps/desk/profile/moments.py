"""Where the line of time goes on, as the address bar holds it."""

from __future__ import annotations

from apps.desk.operations.paging import read_spot
from apps.desk.operations.paging import written as as_word
from voc.store.message_lists import Spot
from voc.store.profile_timeline import Kind, Moment


def written(moment: Moment) -> str:
    """A moment as one word; `read_moment` reads it."""
    return f"{as_word(Spot(moment.at, moment.id))}-{moment.kind}"


def read_moment(word: str) -> Moment | None:
    """The moment that *word* names; None, the newest, for whatever else stands there."""
    place, _, kind = word.rpartition("-")
    spot = read_spot(place)
    if spot is None or kind not in {each.value for each in Kind}:
        return None
    return Moment(spot.at, Kind(kind), spot.id)

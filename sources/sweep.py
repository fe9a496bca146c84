"""Reading a stream that is ordered by id, twice: once for what is new, once for what changed.

One position is not enough. New items are read from where we stopped; but some arrive late, behind
that point, and others are edited or deleted. So a second walk, the sweep, goes over the recent
past again, with a position of its own that is stored like the first: were the look-back to start
over at each run, a run that breaks off would never get beyond it.

Pure: what was read comes in, the next position comes out. The clock is the items' own times.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sources.paginate import id_key

BEFORE_ALL = "0"

Stamps = Mapping[str, tuple[float, float]]
"""Of each item by id: when it was said and when it was edited (0: never), in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far one stream was read.

    Attributes:
        newest: Everything up to here was read once.
        floor: Where the next sweep starts: all up to here is older than the look-back.
        sweep: How far the sweep under way has come; None between two sweeps.
        mark: Where the sweep under way ends; the time of its newest item is `mark_s`.
        seen: The items after `floor`, to know which are new, changed, or gone.
    """

    newest: str = BEFORE_ALL
    floor: str = BEFORE_ALL
    sweep: str | None = None
    mark: str = BEFORE_ALL
    mark_s: float | None = None
    seen: Stamps = field(default_factory=dict)


def after_new(position: Position, found: Stamps, newest: str, look_back_s: float) -> Position:
    """The position once the page with *found*, which ends at *newest*, was read."""
    seen = {**position.seen, **found}
    read = replace(position, newest=newest, seen=seen)
    if position.mark_s is None:  # no sweep ever began: a long past need not be remembered
        return _forget(read, _latest(seen) - look_back_s)
    return read


def begin_sweep(position: Position) -> Position:
    """Start a sweep up to what is read by now, unless one is under way."""
    if position.sweep is not None:
        return position
    return replace(
        position,
        sweep=position.floor,
        mark=position.newest,
        mark_s=max(_latest(position.seen), position.mark_s or 0.0),
    )


def vanished(position: Position, ids: Collection[str], end: str) -> list[str]:
    """Items that we saw between the sweep and *end*, and that are not among *ids*. Oldest first."""
    start = position.sweep or position.floor
    between = (i for i in position.seen if id_key(start) < id_key(i) <= id_key(end))
    return sorted((i for i in between if i not in ids), key=id_key)


def after_sweep(
    position: Position, found: Stamps, gone: Iterable[str], end: str, look_back_s: float
) -> Position:
    """The position once the sweep has come to *end*; at its mark it is over.

    The next sweep starts the look-back *before this one's mark*, not before now: what came late
    while we did not run is swept too.
    """
    seen = {**position.seen, **found}
    for item_id in gone:
        seen.pop(item_id, None)
    read = replace(position, seen=seen, sweep=end)
    if id_key(end) < id_key(position.mark):
        return read
    return _forget(replace(read, sweep=None), (position.mark_s or 0.0) - look_back_s)


def changed(position: Position, found: Stamps) -> set[str]:
    """Those of *found* that we did not see, or saw before they were edited."""
    return {
        item_id
        for item_id, (_, edited_s) in found.items()
        if item_id not in position.seen or position.seen[item_id][1] != edited_s
    }


def _latest(seen: Stamps) -> float:
    return max((said_s for said_s, _ in seen.values()), default=0.0)


def _forget(position: Position, before_s: float) -> Position:
    """Drop the oldest items, as long as each is older than *before_s*, and raise the floor."""
    seen, floor = dict(position.seen), position.floor
    for item_id in sorted(seen, key=id_key):
        if seen[item_id][0] >= before_s:
            break
        floor = max(floor, item_id, key=id_key)
        del seen[item_id]
    return replace(position, seen=seen, floor=floor)

"""The rehearsal: the company's weeks, one main job after another, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flows.loop import loop
from rehearsal.calendar import moments
from rehearsal.company_files import INBOX, drop, read_truth
from rehearsal.people import act
from tasks.workplace import Workplace
from voc.params import LoopParams
from voc.store.clock import rehearsal_clock, set_clock
from voc.store.database import transaction

SEED = 2026


def play(place: Workplace, *, on_moment: Callable[[int, int], None], seed: int = SEED) -> bool:
    """Play what is left of the rehearsal; False if there was nothing new to do.

    The clock is stored before each moment and after it, so a run that was killed goes on with
    the moment that it was in: files arrive again, stages find what is left, people who acted
    have acted.

    Args:
        on_moment: Told before each moment which one it is, and of how many.
    """
    truth = read_truth()
    schedule = moments(INBOX)
    with transaction(place.engine) as session:
        clock = rehearsal_clock(session)
    first = clock.moment if clock else 0
    for n, moment in enumerate(schedule[first:], start=first):
        on_moment(n, len(schedule))
        _set_clock(place, n, moment.now, finished=False)
        if moment.drop:
            drop(moment.drop, place.folder)
        loop(LoopParams(measure=False), moment.now)
        act(place, truth, seed, moment.now, moment.until)
        _set_clock(place, n + 1, moment.now, finished=n + 1 == len(schedule))
    counts = loop(LoopParams(), schedule[-1].now)
    return first < len(schedule) or any(n for name, n in counts.items() if name != "unchanged")


def _set_clock(place: Workplace, n: int, now: datetime, *, finished: bool) -> None:
    with transaction(place.engine) as session:
        set_clock(session, moment=n, now=now, finished=finished)

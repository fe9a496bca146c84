"""How the time that something takes grows with its input, whatever else the machine does."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

ROUNDS = 2
SHORT, LONG = 2_000, 8_000
LINEAR = 10  # times for four times the input: 4 if linear, 16 if quadratic
SLACK_S = 0.05  # what a few milliseconds may be off by


def grows_evenly(work: Callable[[str], object], unit: str) -> bool:
    """Whether *work* takes time in proportion to the length of a text made of *unit*.

    The least CPU time of this thread counts: what other threads and processes do does not.
    """
    short, long = (
        min(_seconds(work, (unit * length)[:length]) for _ in range(ROUNDS))
        for length in (SHORT, LONG)
    )
    return long <= LINEAR * short + SLACK_S


def _seconds(work: Callable[[str], object], text: str) -> float:
    started = thread_time()
    work(text)
    return thread_time() - started

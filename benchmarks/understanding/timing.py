"""CPU time: of things that take turns, of the parts of one thing, and of child processes.

Never wall time: on a machine that others use, too, it says how busy they are.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any
from unittest.mock import patch

Tick = Callable[[str], None]
"""Told before each step, for whoever shows how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Something to time; `prepare` runs before it each time and is not counted."""

    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


def hold_to_one_core() -> None:
    """One thread for everything that this process and its children compute from now on."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if hasattr(os, "sched_setaffinity"):  # the reader takes as many threads as it has cores
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def in_turns(
    variants: Mapping[str, Variant], rounds: int, tick: Tick, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """CPU seconds of each variant in each round. Every other round goes backwards."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name in list(variants)[:: -1 if number % 2 else 1]:
            tick(f"{name}, round {number + 1}")
            variants[name].prepare()
            began = clock()
            variants[name].run()
            seconds[name].append(clock() - began)
    return seconds


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median over rounds of *one* divided by *other*."""
    return median(a / b for a, b in zip(one, other, strict=True))


def children() -> float:
    """CPU seconds, user and system, of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Parts:
    """CPU seconds by part, each without the parts inside it. What no part has is not counted."""

    def __init__(self, clock: Callable[[], float] = process_time) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What runs inside belongs to *name*, unless a part inside claims it."""
        self._book()
        self._open.append(name)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    @contextmanager
    def watching(self, functions: Mapping[tuple[Any, str], str]) -> Iterator[None]:
        """Count the calls of these functions, each named by its owner and its name there."""
        with ExitStack() as stack:
            for (owner, attribute), name in functions.items():
                watched = self._watched(getattr(owner, attribute), name)
                stack.enter_context(patch.object(owner, attribute, watched))
            yield

    def _watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return timed

    def _book(self) -> None:
        now = self._clock()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now

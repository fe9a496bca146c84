"""One trial of a storm: senders that are killed, replaced and suspended, while customers leave."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlmodel import col, func, select

from tasks.workplace import workplace
from tests.faults import books, children
from tests.faults.board import WITH_A_MESSAGE, Board, Point
from tests.faults.provider import MIX, Provider, provider
from tests.faults.sender import append, send
from voc.actions.contact import unsubscribe
from voc.models import Message, MessageState
from voc.store.database import transaction

SENDERS = 4
LEAVING = 0.4
"""Share of the customers who unsubscribe meanwhile."""
PACE = timedelta(minutes=10)
"""How much time passes for the senders in a second of ours: waits of minutes are short."""
MOST_KILLS = 60
PATIENCE_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What happens to the senders. Times are drawn between two values, in seconds."""

    kill_every: tuple[float, float] | None = (0.02, 0.1)
    suspend_share: float = 0.15
    """Of what would be a kill."""
    suspended_for: tuple[float, float] = (0.05, 0.4)
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)
    slow_s: float = 0.06
    """How long the mail server takes for a mail at most."""


CALM = Weather(kill_every=None, mix={})


@dataclass(kw_only=True)
class Logs:
    """What was written down while it lasted."""

    folder: Path
    deaths: list[tuple[Point, str]] = field(default_factory=list)
    """Where each killed sender was, and with which message."""
    suspended: int = 0
    clock: list[datetime] = field(default_factory=list)

    @property
    def hand_overs(self) -> Path:
        return self.folder / "hand_overs"

    @property
    def leavers(self) -> Path:
        return self.folder / "leavers"


def play(folder: Path, begins: datetime, seed: int, weather: Weather, enter: Enter) -> Logs:
    """Let it storm until nothing is on its way any more.

    Args:
        folder: Holds the home, and gets the logs.
        enter: Makes the trial's home this process's workplace, given the mail server.

    Raises:
        TimeoutError: It did not end.
    """
    rng, board, logs = Random(seed), Board(SENDERS), Logs(folder=folder)
    board.now = begins
    with provider(folder / "mails", weather.mix, seed, weather.slow_s) as smtp:
        enter(smtp)
        leavers = _leavers(rng)
        storm = _Storm(board, logs, rng, weather)
        with children.alive(lambda: _leave(board, logs, leavers)):
            storm.rage()
        smtp.settle()
    return logs


Enter = Callable[[Provider], object]


class _Storm:
    def __init__(self, board: Board, logs: Logs, rng: Random, weather: Weather) -> None:
        self._board, self._logs, self._rng, self._weather = board, logs, rng, weather
        self._senders = [self._start(slot) for slot in range(SENDERS)]
        self._wakes: dict[int, float] = {}
        """By slot when a suspended sender goes on."""
        self._database = create_engine(workplace().settings.database, poolclass=NullPool)

    def rage(self) -> None:
        """Until nothing is on its way."""
        began = last = time.monotonic()
        next_blow = began + self._gap()
        while self._is_anything_on_its_way():
            time.sleep(0.01)
            now = time.monotonic()
            self._board.now += (now - last) * PACE
            last = now
            for slot in [slot for slot, at in self._wakes.items() if at <= now]:
                self._wake(slot)
            if now >= next_blow and len(self._logs.deaths) < MOST_KILLS:
                next_blow = now + self._gap()
                self._strike(self._victim(), now)
            if now - began > PATIENCE_S:
                raise TimeoutError("messages stay on their way")
        self._end()

    def _gap(self) -> float:
        every = self._weather.kill_every
        return self._rng.uniform(*every) if every else float("inf")

    def _victim(self) -> int:
        """Any sender; every other time one that has a message in hand, if there is one."""
        busy = [slot for slot in range(SENDERS) if self._board.read(slot)[0] in WITH_A_MESSAGE]
        return self._rng.choice(busy if busy and self._rng.random() < 0.5 else range(SENDERS))

    def _strike(self, slot: int, now: float) -> None:
        if self._rng.random() < self._weather.suspend_share and slot not in self._wakes:
            os.kill(self._senders[slot], signal.SIGSTOP)
            self._wakes[slot] = now + self._rng.uniform(*self._weather.suspended_for)
            self._logs.suspended += 1
            return
        os.kill(self._senders[slot], signal.SIGKILL)
        children.ended(self._senders[slot])
        self._wakes.pop(slot, None)
        self._logs.deaths.append(self._board.read(slot))
        self._senders[slot] = self._start(slot)

    def _wake(self, slot: int) -> None:
        os.kill(self._senders[slot], signal.SIGCONT)
        del self._wakes[slot]

    def _start(self, slot: int) -> int:
        self._board.write(slot, Point.STARTING, "")
        return children.start(lambda: send(self._board, slot, self._logs.hand_overs))

    def _is_anything_on_its_way(self) -> bool:
        """If all that is left waits for a later moment, it comes."""
        query = (
            select(col(Message.state), func.min(col(Message.not_before)))
            .where(col(Message.state).in_(books.UNFINISHED))
            .group_by(col(Message.state))
        )
        with self._database.connect() as connection:
            waiting = {row[0]: row[1] for row in connection.execute(query)}
        if set(waiting) == {MessageState.QUEUED}:
            self._board.now = max(self._board.now, waiting[MessageState.QUEUED])
        return bool(waiting)

    def _end(self) -> None:
        for slot in list(self._wakes):
            self._wake(slot)
        self._board.end()
        codes = [children.ended(pid) for pid in self._senders]
        if any(codes):
            raise RuntimeError(f"senders ended with {codes}")


def _leavers(rng: Random) -> Sequence[int]:
    """Who will unsubscribe, in order."""
    with transaction(workplace().engine) as session:
        queued = select(Message.customer_id).where(Message.state == MessageState.QUEUED)
        found = sorted(key for key in session.exec(queued) if key is not None)
    workplace().engine.dispose()
    return rng.sample(found, round(len(found) * LEAVING))


def _leave(board: Board, logs: Logs, customers: Sequence[int]) -> None:
    """In a child: one after the other unsubscribes, and is told when it is confirmed.

    Preferably somebody whose message a sender has just claimed: that is the race.
    """
    place, rng = workplace(), Random(len(customers))
    waiting = list(customers)
    while waiting:
        time.sleep(rng.uniform(0.01, 0.08))
        with transaction(place.engine) as session:
            claimed = select(Message.customer_id).where(Message.state == MessageState.CLAIMED)
            racing = [key for key in session.exec(claimed) if key in waiting]
        customer_id = (racing or waiting)[-1] or 0
        waiting.remove(customer_id)
        with transaction(place.engine) as session:
            unsubscribe(
                session,
                customer_id,
                secret=place.secret,
                how="unsubscribe page",
                now=board.now,
            )
        append(logs.leavers, {"customer_id": customer_id, "confirmed_ns": time.monotonic_ns()})

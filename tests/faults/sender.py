"""One sender of a storm: the real tasks, and a channel that says where it is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tasks.follow_up
from notifications.allowlist import Channels, open_channels
from notifications.channel import Capability, Channel, Envelope
from tasks.workplace import workplace
from tests.faults.board import Board, Point
from voc.settings import Settings

A_ROUND = 10
"""Messages that a sender takes before it looks again for what the dead left."""


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Write one line, whole, whoever dies next."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, json.dumps(entry).encode() + b"\n")
    os.close(descriptor)


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def send(board: Board, slot: int, log: Path) -> None:
    """Deliver until the storm is over. *log* gets a line for each handing-over that begins."""
    watch = _Watch(board, slot, log)
    vars(tasks.follow_up)["open_channels"] = watch.open_channels
    watch.over_commits()
    while not board.is_over:
        board.write(slot, Point.RECOVERING)
        tasks.follow_up.recover_messages.fn(board.now)
        board.write(slot, Point.CLAIMING)
        if not tasks.follow_up.deliver.fn(A_ROUND, board.now):
            board.write(slot, Point.IDLE)
            time.sleep(0.01)


class _Watch:
    """Follows a sender from point to point."""

    def __init__(self, board: Board, slot: int, log: Path) -> None:
        self._board = board
        self._slot = slot
        self._log = log
        self._committed_ns = 0

    def at(self, point: Point, mail: Envelope | None = None) -> None:
        self._board.write(self._slot, point, mail.message_id if mail else None)

    def hands_over(self, mail: Envelope) -> None:
        """The last commit was the one of SENDING: it began then, or later than that."""
        entry = {"message_id": mail.message_id, "sending_ns": self._committed_ns}
        append(self._log, entry)
        self.at(Point.HANDING_OVER)

    def over_commits(self) -> None:
        dialect = workplace().engine.dialect
        commit = dialect.do_commit

        def committed(connection: Any) -> None:
            self._committed_ns = time.monotonic_ns()
            commit(connection)
            if self._board.read(self._slot)[0] is Point.SETTLING:
                self.at(Point.CLAIMING)

        vars(dialect)["do_commit"] = committed

    def open_channels(self, settings: Settings) -> Channels:
        channels = open_channels(settings)
        watched = {id(channel): _Watched(channel, self) for channel in channels.values()}
        return {name: watched[id(channel)] for name, channel in channels.items()}


class _Watched:
    """A channel that says what it is asked."""

    def __init__(self, channel: Channel, watch: _Watch) -> None:
        self._channel = channel
        self._watch = watch

    def route_for(self, recipient: str) -> str:
        return self._channel.route_for(recipient)

    def capability_of(self, route: str) -> Capability:
        return self._channel.capability_of(route)

    def prepare(self, mail: Envelope) -> None:
        self._watch.at(Point.PREPARING, mail)
        self._channel.prepare(mail)
        self._watch.at(Point.LAST_LOOK)

    def hand_over(self, mail: Envelope) -> str:
        self._watch.hands_over(mail)
        try:
            return self._channel.hand_over(mail)
        finally:
            self._watch.at(Point.SETTLING)

    def look_up(self, route: str, mail: Envelope) -> str | None:
        return self._channel.look_up(route, mail)

    def close(self) -> None:
        self._channel.close()

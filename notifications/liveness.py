"""Which senders are alive, by what can be known for certain: a lock that ends when they do.

With SQLite it is a file's (`notifications.senders`). With PostgreSQL senders live on several
machines, so it is a lock of a session of its own at the server. That may be lost while its
sender, somewhere else, still waits for a mail server's reply: hence the grace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from notifications.senders import SenderLock, is_dead
from voc.errors import ConfigurationError

GRACE = timedelta(minutes=11)
"""Longer than a sender waits for anything: ten minutes for the last reply of a mail server."""


class Held(Protocol):
    """What a sender holds while it works."""

    sender_id: str

    def is_held(self) -> bool:
        """Whether others still see it alive. If not, it must hand nothing over any more."""
        ...


class Liveness(Protocol):
    """How senders of one database know of each other."""

    def hold(self, sender_id: str) -> AbstractContextManager[Held]:
        """Be seen alive until the end of the block.

        Raises:
            ConfigurationError: A sender with this id is at work.
        """
        ...

    def is_dead(self, sender_id: str, *, sending_at: datetime | None, now: datetime) -> bool:
        """Whether this sender has certainly ended, and nothing of it can still be under way.

        Args:
            sending_at: Of its message, if it had begun to hand it over.
        """
        ...


def liveness(engine: Engine, folder: Path) -> Liveness:
    """By files in *folder*, or by the database's server where there is one."""
    return _BySession(engine) if engine.dialect.name == "postgresql" else _ByFile(folder)


class _ByFile:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, sender_id: str) -> AbstractContextManager[Held]:
        return SenderLock(self._folder, sender_id)

    def is_dead(self, sender_id: str, *, sending_at: datetime | None, now: datetime) -> bool:
        return is_dead(self._folder, sender_id)


class _BySession:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def hold(self, sender_id: str) -> Generator[Held]:
        with _session(self._engine) as connection:
            if not _try_lock(connection, sender_id):
                raise ConfigurationError(f"sender {sender_id} is at work already")
            session = _Session(connection, sender_id)
            try:
                yield session
            finally:
                if session.is_held():
                    connection.execute(text("select pg_advisory_unlock_all()"))

    def is_dead(self, sender_id: str, *, sending_at: datetime | None, now: datetime) -> bool:
        if sending_at is not None and now < sending_at + GRACE:
            return False
        with _session(self._engine) as connection:
            if not _try_lock(connection, sender_id):
                return False
            connection.execute(text("select pg_advisory_unlock_all()"))
        return True


class _Session:
    """A session at the server that holds a lock until its end, whoever ends it."""

    def __init__(self, connection: Connection, sender_id: str) -> None:
        self.sender_id = sender_id
        self._connection = connection
        self._lost = False

    def is_held(self) -> bool:
        try:
            self._lost = self._lost or self._connection.scalar(text("select 1")) != 1
        except DBAPIError:
            self._lost = True  # for good: a new connection would not hold the lock
        return not self._lost


@contextmanager
def _session(engine: Engine) -> Generator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def _try_lock(connection: Connection, sender_id: str) -> bool:
    key = int.from_bytes(hashlib.sha256(sender_id.encode()).digest()[:8], signed=True)
    return bool(connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": key}))

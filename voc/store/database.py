"""Opening the database, and what a transaction is."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session

from voc.errors import ConfigurationError

BUSY_TIMEOUT_MS = 30_000
ONLY_READS = "voc_only_reads"
REVISION = "0005"
"""What the tables of this program are like: the newest of `migrations`."""
WRITTEN_AT = text("SELECT version_num FROM alembic_version")
BUSY_SQLITE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
BUSY_POSTGRES = frozenset({"40001", "40P01", "55P03"})
"""Could not be serialised, stood in each other's way, did not get the lock."""
MAY_WRITE = text("UPDATE alembic_version SET version_num = version_num")


@lru_cache
def connect(url: str) -> Engine:
    """The process's engine for *url*. Parameters never reach a log or an error text."""
    if (path := make_url(url).database) and url.startswith("sqlite"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return with_manners(create_engine(url, hide_parameters=True))


def with_manners(engine: Engine) -> Engine:
    """Make SQLite behave as PostgreSQL does unasked: keep foreign keys, wait for a lock.

    Every transaction begins IMMEDIATE: one that reads first and writes later would fail at
    once, not wait, when another has committed in between. `synchronous=FULL` because the
    outbox must not forget a SENDING after a power loss.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN is ours, below
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    reads = connection.get_execution_options().get(ONLY_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def open_database(url: str) -> Engine:
    """The engine for *url*, its tables brought up to date.

    Raises:
        ConfigurationError: It cannot be opened or written, or is newer than this program.
    """
    try:
        return _migrated(connect(url))
    except ArgumentError:
        raise ConfigurationError(
            "VOC_DATABASE_URL is no database URL: sqlite:///FILE or postgresql+psycopg://..."
        ) from None
    except (DatabaseError, OSError) as exc:
        where = make_url(url).render_as_string(hide_password=True)
        why = getattr(exc, "orig", None) or exc
        raise ConfigurationError(f"the database {where} cannot be opened: {why}") from None


def _migrated(engine: Engine) -> Engine:
    with engine.begin() as connection:
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.scalar(WRITTEN_AT)
        if current == REVISION:
            connection.execute(MAY_WRITE)
        else:
            from voc.store.migrating import upgrade  # slow to load, and hardly ever needed

            upgrade(connection, current)
    return engine


def require_whole(engine: Engine) -> None:
    """Look through a SQLite file for damage. It reads all of it: for the start of long work.

    Raises:
        ConfigurationError: It is damaged: nothing may be sent on the strength of it.
    """
    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except DatabaseError as exc:
        found = str(exc.orig)
    if found != "ok":
        raise ConfigurationError(
            f"the database is damaged ({found}): nothing is done with it. Stop everything, keep a "
            "copy, and restore the newest backup (docs/operating.md, Backup)"
        )


@contextmanager
def transaction(engine: Engine) -> Generator[Session]:
    """A session that commits if the block succeeds, and leaves no trace if it does not."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Generator[Session]:
    """A session that sees the database as it is at one moment, and waits for no writer.

    What is changed in it is not kept.
    """
    snapshot = engine.execution_options(**{ONLY_READS: True})
    if engine.dialect.name == "postgresql":
        snapshot = snapshot.execution_options(isolation_level="REPEATABLE READ")
    with Session(snapshot, expire_on_commit=False, autoflush=False) as session:
        yield session


def is_busy(exc: Exception) -> bool:
    """Whether a transaction failed, whole, only because of others: it may be tried again."""
    if isinstance(exc, PoolTimeoutError):  # all connections are taken
        return True
    if not isinstance(exc, OperationalError):
        return False
    why = exc.orig
    code: int = getattr(why, "sqlite_errorcode", 0) & 0xFF  # the rest says how exactly
    return code in BUSY_SQLITE or getattr(why, "sqlstate", None) in BUSY_POSTGRES

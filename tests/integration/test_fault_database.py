"""A database that is busy, full, damaged, read-only or lost: nothing goes wrong in silence."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from apps.cli import main
from tasks import follow_up, understand
from tasks.workplace import workplace
from tests.postgres_server import binaries, postgres_server
from tests.story import Story, fake_models, write_company
from voc.errors import ConfigurationError, VocError
from voc.locks import require_locks
from voc.models import Customer, Feedback, Message, MessageState, Ticket
from voc.store import database
from voc.store.database import open_database, require_whole, transaction, with_manners

LATE = "The parcel came late."
_numbers = count(1)


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    return Story(place)


@pytest.fixture
def writer(shop: Story) -> Iterator[sqlite3.Connection]:
    """Another program that writes into the database."""
    shop.says(LATE, rating=2)
    path = shop.place.settings.home / "voc.db"
    with sqlite3.connect(path, isolation_level=None, check_same_thread=False) as other:
        yield other
    other.close()


def test_a_writer_is_waited_for(shop: Story, writer: sqlite3.Connection) -> None:
    writer.execute("BEGIN IMMEDIATE")
    waits = threading.Event()
    event.listen(shop.place.engine, "checkout", lambda *_: waits.set())  # BEGIN comes next

    def let_go() -> None:
        assert waits.wait(30)
        writer.execute("COMMIT")

    thread = threading.Thread(target=let_go)
    thread.start()
    shop.says(LATE, rating=2)
    thread.join()
    assert len(shop.rows(Feedback)) == 2


def test_a_writer_that_never_ends_is_one_sentence_and_nothing_is_half_done(
    shop: Story, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    shop.place.engine.dispose()  # new connections are less patient
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(VocError, match=r"database is locked in .*; mend that, then run again"):
        follow_up.plan_due.fn(shop.now)
    writer.execute("COMMIT")
    shop.runs()
    assert shop.broken_books() == []


def test_reading_first_and_writing_later_never_fails_in_between(
    shop: Story, writer: sqlite3.Connection
) -> None:
    """Deferred transactions would: SQLITE_BUSY_SNAPSHOT. Ours have the lock from the start."""
    with transaction(shop.place.engine) as session:
        customer = session.get_one(Customer, 1)
        writer.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("UPDATE customer SET name = 'Lee'")
        customer.name = "Kim"
        session.add(customer)
    assert shop.rows(Customer)[0].name == "Kim"


def test_a_full_disk_sends_nothing_and_a_later_run_goes_on(shop: Story) -> None:
    shop.says(LATE, rating=2)
    engine = shop.place.engine

    def fill(connection: Any, _record: object = None) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", fill)
    engine.dispose()
    with pytest.raises((VocError, OperationalError), match="full"):
        shop.runs()
    assert shop.mails() == []
    event.remove(engine, "connect", fill)
    engine.dispose()
    shop.runs()
    assert len(shop.mails(to="kim@example.com")) == 1
    assert shop.broken_books() == []


def test_a_database_that_may_not_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "voc.db"
    open_database(f"sqlite:///{path}").dispose()
    database.connect.cache_clear()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        open_database(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_every_commit_is_on_the_disk_before_it_counts(shop: Story) -> None:
    """After a power loss a row that was SENDING is SENDING: copies of both files show it."""
    home = shop.place.settings.home
    with shop.place.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    shop.says(LATE, rating=2)
    after = home / "after_power_loss"
    after.mkdir()
    for name in ("voc.db", "voc.db-wal"):
        shutil.copy(home / name, after / name)
    survivor = with_manners(create_engine(f"sqlite:///{after / 'voc.db'}"))
    with survivor.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM feedback")).scalar_one() == 1
    survivor.dispose()


@pytest.mark.parametrize("damage", ["cut", "torn"])
def test_a_damaged_file_is_noticed_before_anything_is_done(tmp_path: Path, damage: str) -> None:
    engine = with_manners(create_engine(f"sqlite:///{tmp_path / 'voc.db'}"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT)")
        connection.exec_driver_sql("CREATE INDEX by_word ON words (word)")
        for n in range(500):
            connection.exec_driver_sql("INSERT INTO words VALUES (?)", (f"{n:0100}",))
    require_whole(engine)
    engine.dispose()
    content = bytearray((tmp_path / "voc.db").read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[-4096 * 3 : -4096 * 2] = os.urandom(4096)
    (tmp_path / "voc.db").write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        require_whole(engine)
    engine.dispose()


def test_a_run_on_a_damaged_database_stops_with_one_sentence(
    shop: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(40):
        shop.says(f"{LATE} {n}", rating=2)
    shop.place.engine.dispose()
    path = shop.place.settings.home / "voc.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main.app(["run"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "damaged" in told
    assert told.count("\n") == 1


def test_a_log_that_was_cut_loses_its_end_and_nothing_else(shop: Story) -> None:
    """Frames whose checksum fails are not read: an older, whole state, like a restored backup."""
    shop.says(LATE, rating=2)
    shop.says(LATE, rating=2)
    home = shop.place.settings.home
    copy = home / "copy"
    copy.mkdir()
    for name in ("voc.db", "voc.db-wal"):
        shutil.copy(home / name, copy / name)
    log = (copy / "voc.db-wal").read_bytes()
    (copy / "voc.db-wal").write_bytes(log[: len(log) - 5000])
    survivor = with_manners(create_engine(f"sqlite:///{copy / 'voc.db'}"))
    require_whole(survivor)
    with survivor.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM feedback")).scalar_one() <= 2
    survivor.dispose()


def test_a_place_where_locks_do_not_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_locks(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("voc.locks.fcntl.flock", lambda *_: None)  # as some network shares do
    with pytest.raises(ConfigurationError, match="cannot be locked"):
        require_locks(tmp_path)


def test_a_migration_that_breaks_off_leaves_the_version_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every statement in turn: the version row is written in the same transaction."""
    statements = 0

    def fail_at(n: int) -> int:
        nonlocal statements
        statements = 0

        def count(*_args: object) -> None:
            nonlocal statements
            statements += 1
            if statements == n:
                raise OperationalError("injected", None, Exception("disk I/O error"))

        path = tmp_path / f"{n}.db"
        engine = with_manners(create_engine(f"sqlite:///{path}"))
        event.listen(engine, "before_cursor_execute", count)
        monkeypatch.setattr(database, "connect", lambda _url: engine)
        try:
            open_database(f"sqlite:///{path}")
        except ConfigurationError:
            event.remove(engine, "before_cursor_execute", count)
            assert open_database(f"sqlite:///{path}") is engine  # again, and it is whole
            with engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM message")).scalar_one() == 0
        finally:
            engine.dispose()
        return statements

    total = fail_at(10**9)
    for n in range(1, total, max(1, total // 7)):
        fail_at(n)


@contextmanager
def others(url: str | URL, **how: Any) -> Iterator[Connection]:
    """A connection of another program."""
    engine = create_engine(url, **how)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server() as url:
        yield url


@pytest.fixture
def postgresql_shop(
    postgresql_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    name = f"faults_{next(_numbers)}"
    with others(postgresql_url, isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    own = make_url(postgresql_url).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("VOC_DATABASE_URL", own)
    write_company(home)
    place = workplace()
    models = fake_models(place.company)
    monkeypatch.setattr(understand, "build_models", lambda _company: models)
    yield Story(place)
    place.engine.dispose()
    database.connect.cache_clear()


@pytest.mark.postgres
def test_a_connection_lost_at_commit_is_looked_up_not_assumed(postgresql_shop: Story) -> None:
    """Planning again after a commit of unknown outcome plans nothing twice."""
    shop = postgresql_shop
    shop.says(LATE, rating=2)

    def cut_off(connection: Any) -> None:
        event.remove(shop.place.engine, "commit", cut_off)
        _terminate(shop.place.engine, connection.connection.info.backend_pid)

    event.listen(shop.place.engine, "commit", cut_off)
    with pytest.raises((VocError, OperationalError)):
        shop.runs()
    shop.runs()
    keys = [(m.subject, m.step, m.recipient) for m in shop.rows(Message)]
    assert len(keys) == len(set(keys))
    assert len(shop.mails(to="kim@example.com")) == 1
    assert shop.broken_books() == []
    assert {m.state for m in shop.rows(Message)} == {MessageState.SENT}


def _terminate(engine: Engine, pid: int) -> None:
    with others(engine.url) as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


@pytest.mark.postgres
def test_a_deadlock_costs_one_try_and_nothing_else(postgresql_shop: Story) -> None:
    """We all take locks in one order; somebody else's program may not."""
    shop = postgresql_shop
    shop.says(f"{LATE} Again.", rating=2, email="lee@example.com")
    shop.runs()
    ticket = shop.rows(Ticket)[-1]
    impatient = text("SET deadlock_timeout = '10ms'")
    event.listen(shop.place.engine, "begin", lambda c: c.execute(impatient))
    failed: list[BaseException] = []

    def resolve() -> None:
        try:
            shop.resolves(ticket)
        except OperationalError as exc:
            failed.append(exc)

    ours = threading.Thread(target=resolve)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with others(shop.place.engine.url) as rude:
        rude.execute(text("SET deadlock_timeout = '60s'"))
        rude.execute(text("SELECT id FROM ticket WHERE id = :id FOR UPDATE"), {"id": ticket.id})
        ours.start()
        while rude.execute(waits).scalar_one() == 0:
            assert ours.is_alive()
        rude.execute(text("SELECT id FROM chainhead FOR UPDATE"))  # it is ours, and waits for it
        ours.join()
    assert "deadlock" in str(failed[0])
    shop.resolves(ticket)
    shop.runs()
    assert len(shop.mails(to="lee@example.com")) == 2
    assert shop.broken_books() == []

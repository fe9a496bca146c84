"""The migrations build exactly the tables that the models describe, and go both ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel, create_engine

import voc.models  # noqa: F401  (registers the tables)
from voc.errors import ConfigurationError
from voc.store.database import REVISION, connect, open_database
from voc.store.migrating import MIGRATIONS


@pytest.fixture
def alembic(tmp_path: Path) -> Iterator[tuple[Config, Connection]]:
    engine = create_engine(f"sqlite:///{tmp_path / 'voc.db'}")
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        yield config, connection
    engine.dispose()


def test_migrations_build_what_the_models_describe(alembic: tuple[Config, Connection]) -> None:
    config, connection = alembic
    command.upgrade(config, "head")
    assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_the_program_knows_which_migration_is_the_newest(
    alembic: tuple[Config, Connection],
) -> None:
    assert ScriptDirectory.from_config(alembic[0]).get_current_head() == REVISION


def test_migrations_go_down_and_up_again(alembic: tuple[Config, Connection]) -> None:
    config, connection = alembic
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    assert "feedback" in inspect(connection).get_table_names()


def test_what_customers_called_unsolved_is_found_in_the_ledger(
    alembic: tuple[Config, Connection],
) -> None:
    config, connection = alembic
    command.upgrade(config, "0004")
    at, tickets = "2026-03-02 09:00:00.000000", {1: 1, 2: 2, 3: 1}
    for key, hand in tickets.items():
        row = {"id": key, "hand": hand, "customer_id": 1, "department": "d", "because": "b"}
        row |= {"offers": "[]", "priority": "normal", "state": "open", "level": 0, "round": 2}
        row |= dict.fromkeys(("opened_at", "first_response_due_at", "resolution_due_at"), at)
        insert(connection, "ticket", row)
    for key in (1, 2):
        row = {"id": key, "feedback_id": key, "customer_id": 1, "kind": "issue", "state": "open"}
        insert(connection, "loop", row | {"round": 2, "opened_at": at})
    for key, (column, about, kind, detail) in enumerate(
        (
            ("ticket_id", 1, "reopened", "not_solved"),
            ("ticket_id", 2, "reopened", "not_solved"),
            ("ticket_id", 2, "reassigned", "billing"),
            ("ticket_id", 3, "reopened", "refused"),
            ("loop_id", 1, "loop_reopened", "round 2"),
        ),
        start=1,
    ):
        row = {"id": key, column: about, "kind": kind, "detail": detail, "actor": "a", "at": at}
        insert(connection, "ticketevent", row | {"previous_hash": "", "hash": str(key)})
    connection.commit()
    command.upgrade(config, "head")
    came_back = connection.execute(text("SELECT reopened_hand FROM ticket ORDER BY id"))
    assert came_back.scalars().all() == [1, None, None]
    reopened = connection.execute(text("SELECT reopened FROM loop ORDER BY id"))
    assert reopened.scalars().all() == [1, 0]


def insert(connection: Connection, table: str, row: dict[str, object]) -> None:
    columns = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({columns[0]}) VALUES ({columns[1]})"), row)  # noqa: S608


def test_a_database_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'voc.db'}"
    with open_database(url).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="9999"):
        open_database(url)
    connect(url).dispose()


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/nowhere/voc.db"])
def test_a_database_that_cannot_be_opened_is_one_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database"):
        open_database(url)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "voc.db").write_text("not a database at all, but long enough to be read" * 100)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'voc.db'}")

"""Inserting what may be there already, in bulk, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import class_mapper
from sqlmodel import Session, SQLModel


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose unique key is not there yet; return how many were.

    One prepared statement for all of them: building one with hundreds of rows of values costs
    more than storing them. All rows have the same keys.
    """
    if not rows:
        return 0
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.flush()
    statement = insert(table_of(model)).on_conflict_do_nothing()
    # An insert's count is otherwise asked for when psycopg has closed its cursor: -1.
    counted = statement.execution_options(preserve_rowcount=True)
    return session.connection().execute(counted, [dict(row) for row in rows]).rowcount


def table_of(model: type[SQLModel]) -> sa.Table:
    """Its table, for what is done to many rows at once."""
    return cast(sa.Table, class_mapper(model).local_table)

"""Inserting what may be there already, in bulk, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

ROWS_A_STATEMENT = 500  # SQLite allows 32,766 parameters in one


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose unique key is not there yet; return how many were."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    inserted = 0
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        chunk = [dict(row) for row in rows[start : start + ROWS_A_STATEMENT]]
        result = session.exec(insert(model).values(chunk).on_conflict_do_nothing())
        inserted += result.rowcount
    return inserted

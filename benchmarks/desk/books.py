"""The books of a company after years: as many rows as asked for, made in minutes, always the same.

Rows are written past the actions of the product: what matters here is how many there are and how
they spread over time, departments and customers. The ledger's hashes are not those of a chain.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.progress import Progress
from sqlalchemy import Connection, Engine

from benchmarks.desk.rows import CUSTOMER_SAYS, NOW, Maker, Rows
from benchmarks.desk.themes import themes_and_vectors
from voc.actions import figures
from voc.company.model import Company
from voc.store import suggestion_counts
from voc.store.database import transaction
from voc.store.upsert import table_of

AT_ONCE = 5_000


def write_books(engine: Engine, company: Company, feedback: int, progress: Progress) -> None:
    """Fill an empty database with *feedback* pieces of feedback and a fifth as many tickets."""
    maker = Maker(company)
    with engine.begin() as connection:
        _insert(connection, themes_and_vectors(maker.hashes))
    for what, n, make in (
        ("customers", feedback // CUSTOMER_SAYS, maker.customers),
        ("feedback", feedback, maker.feedback),
    ):
        bar = progress.add_task(what, total=n)
        for ids in _chunks(n):
            with engine.begin() as connection:
                _insert(connection, make(ids, n))
            progress.advance(bar, len(ids))
    with transaction(engine) as session:
        suggestion_counts.add(
            session, {key: (n, maker.unsure[key]) for key, n in maker.asked.items()}
        )
    progress.add_task("weeks", total=None)
    figures.refresh(engine, company.company.timezone, now=NOW)


def _insert(connection: Connection, rows: Rows) -> None:
    for table, values in rows.items():
        connection.execute(table_of(table).insert(), values)


def _chunks(n: int) -> Iterator[range]:
    return (range(low, min(low + AT_ONCE, n + 1)) for low in range(1, n + 1, AT_ONCE))

"""The books of a company after years: as many rows as asked for, made in minutes, always the same.

Rows are written past the actions of the product: what matters here is how many there are and how
they spread over time, departments and customers. The ledger's hashes are not those of a chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa
from rich.progress import Progress
from sqlalchemy import Connection, Engine
from sqlmodel import col, select

from benchmarks.desk.rows import CUSTOMER_SAYS, NOW, Maker, Rows
from benchmarks.desk.themes import themes_and_vectors
from voc.actions import experiments, figures
from voc.company.model import Company
from voc.models import Exposure, Link, LinkPurpose, Loop, Message, Ticket, TicketState
from voc.rules.tokens import token_hash
from voc.store import suggestion_counts
from voc.store.database import transaction
from voc.store.upsert import table_of

AT_ONCE = 5_000
DRAWN = 50_000  # customers, for an experiment
TOKENS = {purpose: f"benchmark{purpose}" for purpose in LinkPurpose}
"""Of the links that can be followed."""


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
    with engine.begin() as connection:
        _draw_arms(connection, company.experiments[0].id)
    _make_links(engine)


def measure(engine: Engine, company: Company) -> None:
    """Count what the flow of this name counts."""
    experiments.count(engine, company, now=NOW)
    figures.refresh(engine, company.company.timezone, now=NOW)


def _draw_arms(connection: Connection, experiment: str) -> None:
    """Expose customers to an experiment, each by their first loop."""
    first, seen = sa.func.min(col(Loop.id)), sa.func.min(col(Loop.opened_at))
    arm = sa.case((col(Loop.customer_id) % 2 == 0, "plain"), else_="warm")
    drawn = (
        sa.select(sa.literal(experiment), col(Loop.customer_id), arm, first, seen)
        .group_by(col(Loop.customer_id))
        .order_by(col(Loop.customer_id))
        .limit(DRAWN)
    )
    columns = ["experiment", "customer_id", "variant", "loop_id", "at"]
    connection.execute(table_of(Exposure).insert().from_select(columns, drawn))


def _make_links(engine: Engine) -> None:
    """A customer's two, and an owner's for an open ticket."""
    newest = select(Message.id).order_by(col(Message.id).desc()).limit(1)
    told = newest.where(Message.template == "resolution")
    of_open = newest.join(Ticket, col(Ticket.id) == Message.ticket_id)
    with transaction(engine) as session:
        customers = session.exec(told).one()
        owners = session.exec(of_open.where(Ticket.state == TicketState.OPEN)).one()
        for purpose, message_id in {
            LinkPurpose.ANSWER: customers,
            LinkPurpose.UNSUBSCRIBE: customers,
            LinkPurpose.RESOLVE: owners,
        }.items():
            link = Link(
                token_hash=token_hash(TOKENS[purpose]),
                purpose=purpose,
                message_id=message_id or 0,
                expires_at=NOW + timedelta(days=1),
            )
            session.add(link)


def _insert(connection: Connection, rows: Rows) -> None:
    for table, values in rows.items():
        connection.execute(table_of(table).insert(), values)


def _chunks(n: int) -> Iterator[range]:
    return (range(low, min(low + AT_ONCE, n + 1)) for low in range(1, n + 1, AT_ONCE))

"""Alembic's entry point. A caller may hand it a connection; otherwise settings say where."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import voc.models  # noqa: F401  (registers the tables)
from voc.settings import get_settings
from voc.store.database import connect


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,  # SQLite cannot ALTER most things in place
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    with connect(get_settings().database).begin() as own:
        run(own)

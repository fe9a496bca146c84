"""Bringing tables up to date."""

from __future__ import annotations

from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from voc.errors import ConfigurationError

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade(connection: Connection, current: str | None) -> None:
    """From revision *current*, or from nothing, to the newest.

    Raises:
        ConfigurationError: It is newer than this program.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current and current not in known:
        raise ConfigurationError(
            f"the database is at revision {current}, which this version does not know: "
            "install the version that made it, or restore a backup"
        )
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")

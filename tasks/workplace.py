"""What every task needs: settings, the company, the database. Made once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from math import ceil
from pathlib import Path

from sqlalchemy import Engine

from voc.company import Company, load_company
from voc.errors import ConfigurationError
from voc.journal import Journal
from voc.locks import require_locks
from voc.settings import Settings, get_settings
from voc.store.clock import rehearsal_clock
from voc.store.database import open_database, transaction
from voc.store.installation import check_secret


@dataclass(frozen=True, eq=False)
class Workplace:
    """One company on one machine."""

    settings: Settings
    company: Company
    folder: Path
    """Of the company file: paths of file sources begin here."""

    @cached_property
    def engine(self) -> Engine:
        require_locks(self.settings.locks)
        engine = open_database(self.settings.database)
        check_secret(engine, self.settings.secret())
        return engine

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.settings.journal)

    @cached_property
    def secret(self) -> bytes:
        return self.settings.secret()

    def clock(self) -> datetime:
        """What time it is for the company: a rehearsal's clock is stored, others' is real."""
        with transaction(self.engine) as session:
            played = rehearsal_clock(session)
        return played.now if played else datetime.now(UTC)

    def clock_from(self, now: datetime | None) -> Callable[[], datetime]:
        """A clock for long work: *now* stands still, and so does a rehearsal's; others go on."""
        with transaction(self.engine) as session:
            played = rehearsal_clock(session)
        still = played.now if played and now is None else now
        return lambda: still or datetime.now(UTC)

    def is_played_out(self) -> bool:
        """Whether this is a rehearsal that has come to its end."""
        with transaction(self.engine) as session:
            played = rehearsal_clock(session)
        return played is not None and played.finished


@lru_cache(maxsize=1)
def workplace() -> Workplace:
    """The process's workplace.

    Raises:
        ConfigurationError: There is no company file, or it is wrong.
    """
    settings = get_settings().at_work()
    path = settings.company_file()
    if path is None or not path.exists():
        raise ConfigurationError(
            f"no company file at {path}: `voc init DIR` writes one, `voc run` plays a rehearsal"
        )
    return Workplace(settings=settings, company=load_company(path), folder=path.parent)


def chunk_size(n: int) -> int:
    """How many pieces a task takes: at most about 64 tasks a run, at least 500 pieces each."""
    return min(10_000, max(500, ceil(n / 64)))


def ranges(low: int, high: int, n: int, chunk: int | None = None) -> list[tuple[int, int]]:
    """Cut the ids from *low* to *high* so that tasks get about equal shares of *n* pieces."""
    if not n:
        return []
    step = max(1, ceil((high - low + 1) * (chunk or chunk_size(n)) / n))
    return [(start, min(start + step - 1, high)) for start in range(low, high + 1, step)]

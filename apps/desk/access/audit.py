"""What is written down after a page was shown: nobody waits for it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlmodel import Session

from voc.store.database import transaction

Deed = Callable[[Session], object]

MOST = 10_000
"""How many wait while the database takes nothing; the oldest are given up then."""

log = logging.getLogger(__name__)


class Afterwards:
    """Small writes that wait for their turn: one thread at a time writes all that wait.

    Else a collect run that writes for a while would have a thread waiting for each page that is
    looked at, and soon none for the next page. What waits lives in memory: what is killed in
    this moment is not written.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Deed] = deque(maxlen=MOST)
        self._changes = Lock()
        self._writes = Lock()

    def add(self, deed: Deed) -> None:
        """Let *deed* be done in a transaction, soon."""
        with self._changes:
            self._waiting.append(deed)

    def do(self) -> None:
        """Do what waits, unless somebody is about to: they will see to it."""
        while self._waiting and self._writes.acquire(blocking=False):
            try:
                if not self._do_all():
                    return
            finally:
                self._writes.release()

    def _do_all(self) -> bool:
        """False: the database takes nothing now."""
        with self._changes:
            taken = list(self._waiting)
            self._waiting.clear()
        try:
            with transaction(self._engine) as session:
                for deed in taken:
                    _do(deed, session)
        except OperationalError:
            with self._changes:
                self._waiting = deque([*taken, *self._waiting], maxlen=MOST)
            log.warning("%d notes about visits wait for the database", len(taken))
            return False
        return True


def _do(deed: Deed, session: Session) -> None:
    """One that cannot be done does not keep the others from it.

    Raises:
        OperationalError: None of them can be done now.
    """
    try:
        with session.begin_nested():
            deed(session)
    except OperationalError:
        raise
    except SQLAlchemyError:
        log.error("a note about a visit could not be written")  # noqa: TRY400 (it may hold words)

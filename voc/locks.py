"""Whether locks mean anything where our state lies."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from voc.errors import ConfigurationError


def require_locks(folder: Path) -> None:
    """Refuse a file system that cannot lock, or on which two may hold one lock.

    Senders and SQLite rely on locks to know who is alive and who writes. Network shares often
    pretend: two descriptors of one file must not both get it.

    Raises:
        ConfigurationError: Locks do not work in *folder*.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="probe") as probe:
        one, other = os.open(probe.name, os.O_RDWR), os.open(probe.name, os.O_RDWR)
        try:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            works = not _try_lock(other)
        except OSError:
            works = False
        finally:
            os.close(one)
            os.close(other)
    if not works:
        raise ConfigurationError(
            f"files cannot be locked in {folder}: put VOC_HOME on a local disk, and set "
            "VOC_DATABASE_URL to a PostgreSQL server if several machines share the work"
        )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

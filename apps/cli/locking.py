"""One main job at a time on a home folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.errors import ConfigurationError, VocError


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold *path* locked; the kernel lets go of it when we end, however we end.

    Raises:
        VocError: Another process holds it.
        ConfigurationError: The folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as exc:
        raise ConfigurationError(
            f"VOC_HOME: cannot write to {path.parents[1]}: {exc.strerror}; name another folder"
        ) from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise VocError(f"{what} is at work already in {path.parents[1]}; wait for it") from None
        yield

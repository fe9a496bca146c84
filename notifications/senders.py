"""Who is alive: one locked file for each sender, released by the kernel when it really ends.

A clock cannot tell a dead sender from a paused one; a lock can.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from voc.errors import ConfigurationError


def new_sender_id() -> str:
    """An id for one drain of the outbox: which machine, which process, and which of its drains."""
    return f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"


class SenderLock:
    """Held while a sender works. Leaving it in good order removes the file.

    Raises:
        ConfigurationError: On entering: a sender with this id is at work.
    """

    def __init__(self, folder: Path, sender_id: str) -> None:
        self.sender_id = sender_id
        self._path = _lock_file(folder, sender_id)
        self._descriptor = -1

    def is_held(self) -> bool:
        """Always, once entered: the kernel takes a file's lock from nobody who lives."""
        return self._descriptor >= 0

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _try_lock(self._descriptor):
                os.close(self._descriptor)
                raise ConfigurationError(f"sender {self._path.name} is at work already")
            if _is_same_file(self._descriptor, self._path):
                return self
            os.close(self._descriptor)  # it was removed between open and lock

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_dead(folder: Path, sender_id: str) -> bool:
    """Whether this sender has certainly ended.

    A lock file that is gone proves nothing, someone may have tidied up: then its process must
    be gone, too, and it must have been one of this machine.
    """
    try:
        descriptor = os.open(_lock_file(folder, sender_id), os.O_RDWR)
    except FileNotFoundError:
        return _process_is_gone(sender_id)
    try:
        return _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _process_is_gone(sender_id: str) -> bool:
    host, _, rest = sender_id.rpartition(".")[0].rpartition(".")
    if host != _host() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _lock_file(folder: Path, sender_id: str) -> Path:
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', sender_id)}.lock"


def _host() -> str:
    return socket.gethostname()[:40]


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

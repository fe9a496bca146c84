"""Built models on disk, so that a process starts in a fraction of a second.

A file is its own SHA-256 and then the model: what a full disk or a power cut left half-written is
noticed and built again. Where nothing can be written, every process builds its own: half a
second more each time, and nothing else changes. A file's time is that of its last use; whoever
writes a new one removes what nobody has used for long.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_DIGEST_BYTES = 32
_DAY = 24 * 60 * 60
UNUSED_AFTER = {".model": 30 * _DAY, ".draft": _DAY}
"""Seconds since the last use. Two versions side by side use their own every time they start; a
draft so old was left by a killed process."""


def cached(folder: Path, key: str, build: Callable[[], bytes]) -> bytes:
    """The model under *key*, from *folder* if it is there and whole; else built and kept.

    Several processes may do so at once: each writes a draft of its own and renames it.
    """
    path = folder / f"{key}.model"
    content = _read(path)
    if content is None:
        content = build()
        with contextlib.suppress(OSError):
            _write(path, content)
            _remove_unused(folder)
    return content


def user_folder() -> Path:
    """Where programs of this user keep what they can make again."""
    if sys.platform == "darwin":
        base = Path("~/Library/Caches")
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    try:
        return base.expanduser() / "vocloop" / "models"
    except RuntimeError:  # no home folder
        return Path(tempfile.gettempdir()) / "vocloop" / "models"


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            digest = file.read(_DIGEST_BYTES)
            content = file.read()
    except OSError:
        return None
    if hashlib.sha256(content).digest() != digest:
        return None
    with contextlib.suppress(OSError):  # not ours, or on a disk that is only read
        os.utime(path)
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def _remove_unused(folder: Path) -> None:
    now = time.time()
    for path in folder.iterdir():
        limit = UNUSED_AFTER.get(path.suffix)
        if limit is not None and path.stat().st_mtime < now - limit:
            path.unlink(missing_ok=True)

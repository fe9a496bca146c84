"""Built models on disk, so that a process starts in a fraction of a second.

A file is its own SHA-256 and then the model: what a full disk or a power cut left half-written is
noticed and built again. Where nothing can be written, every process builds its own: half a
second more each time, and nothing else changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_DIGEST_BYTES = 32


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
    return content if hashlib.sha256(content).digest() == digest else None


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

"""The kill switch: a file, so that it works whatever has become of the database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def throw(path: Path, *, actor: str, now: datetime) -> None:
    """Let nothing leave from this moment on. What is being handed over is not called back."""
    path.write_text(f"{actor} {now:%Y-%m-%d %H:%M}\n", encoding="utf-8")


def lift(path: Path) -> None:
    """Let messages leave again, with the next run."""
    path.unlink(missing_ok=True)


def said(path: Path) -> str | None:
    """Who threw it and when, as far as it says so; None while it is off."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None

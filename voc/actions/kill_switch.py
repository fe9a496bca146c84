"""The kill switch: a file, so that it works whatever has become of the database."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """What the file says of who threw the switch; people may have written it, too."""

    by: str
    """Empty if it does not say."""
    at: datetime | None
    """None if it does not say, or not as `throw` writes it."""


def throw(path: Path, *, actor: str, now: datetime) -> None:
    """Let nothing leave from this moment on. What is being handed over is not called back.

    Whoever threw it first stays the one who did.
    """
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(f"{actor} {now.isoformat(timespec='seconds')}\n")


def lift(path: Path) -> None:
    """Let messages leave again, with the next run."""
    path.unlink(missing_ok=True)


def said(path: Path) -> Thrown | None:
    """Who threw it and when, as far as it says so; None while it is off."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    by, _, moment = text.rpartition(" ")
    with suppress(ValueError):
        at = datetime.fromisoformat(moment)
        return Thrown(by=by, at=at) if at.tzinfo else Thrown(by=text, at=None)
    return Thrown(by=text, at=None)

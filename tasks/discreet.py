"""What an error may say where everybody can read it.

Prefect keeps an exception's text in the clear, and texts of other people's libraries repeat what
they were given: pydantic shows the value that did not fit, a database the row that was there.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

from voc.errors import VocError

P = ParamSpec("P")
R = TypeVar("R")

ROOT = Path(__file__).parents[1]
SQLITE_SAYS = {
    "attempt to write a readonly database",
    "database disk image is malformed",
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
}
OURS = {"tasks", "sources", "nlp", "notifications", "voc"}


def discreet(function: Callable[P, R]) -> Callable[P, R]:
    """Let our own errors pass; of all others tell the type and where it was, not the text.

    Raises:
        VocError: In the place of an error that is not ours.
    """

    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except VocError:
            raise
        except OSError as exc:  # what the system says of itself: "No space left on device"
            reason = exc.strerror or f"unexpected {type(exc).__name__}"
            raise VocError(f"{reason} {where(exc)}; mend that, then run again") from None
        except OperationalError as exc:
            raise VocError(f"{_trouble(exc)} {where(exc)}; mend that, then run again") from None
        except Exception as exc:  # noqa: BLE001  (nothing is swallowed: it fails as another)
            raise VocError(f"unexpected {type(exc).__name__} {where(exc)}") from None

    return told


def _trouble(exc: OperationalError) -> str:
    """What the database says of itself. Its other texts may repeat what it was given."""
    told = str(exc.orig).partition("\n")[0]
    return told if told in SQLITE_SAYS else "the database failed"


def where(exc: Exception) -> str:
    """The last line of our own code that *exc* passed through; `discreet` is one, at least."""
    frames = [
        (Path(frame.filename).relative_to(ROOT), frame.lineno)
        for frame in traceback.extract_tb(exc.__traceback__)
        if Path(frame.filename).is_relative_to(ROOT)
    ]
    path, line = [(path, line) for path, line in frames if path.parts[0] in OURS][-1]
    return f"in {path}, line {line}"

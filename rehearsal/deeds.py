"""What somebody does at a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """Something that somebody does at a moment. Doing it may bring about the next one."""

    at: datetime
    key: str
    do: Callable[[], Iterable[Deed]] = field(compare=False)

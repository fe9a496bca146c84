"""Stretches of a text that hold many digits: nowhere else is a long number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_GAP = 5
"""Characters between two digits of one number, at most."""
_AROUND = 12
"""Characters on each side that are shown, too: brackets, country letters, currencies."""


def dense_stretches(text: str, *, digits: int) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch with so many digits close together, and a little around it."""
    for match in _pattern(digits).finditer(text):
        yield max(0, match.start() - _AROUND), min(len(text), match.end() + _AROUND)


@cache
def _pattern(digits: int) -> re.Pattern[str]:
    return re.compile(rf"\d(?:\D{{0,{_GAP}}}\d){{{digits - 1},}}")

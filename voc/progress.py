"""How far long work has come, for whoever wants to show it. Counts only."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, int, int], None]
_listeners: list[Listener] = []


def report(stage: str, done: int, total: int) -> None:
    """Say that *done* of *total* items of a stage are finished."""
    for listener in _listeners:
        listener(stage, done, total)


def listen(listener: Listener) -> Callable[[], None]:
    """Call *listener* at every report from now on; the returned function ends that."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)

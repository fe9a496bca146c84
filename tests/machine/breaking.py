"""What breaks off half way: a stage whose n-th statement never comes to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class BrokenOffError(Exception):
    """The machine has stopped."""


@contextmanager
def breaking_off(engine: Engine, at: int) -> Iterator[None]:
    """Stop before statement number *at*, counted from 1; nothing stops if there are fewer."""
    left = at

    def count(*_args: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise BrokenOffError

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    except BrokenOffError:
        pass
    finally:
        event.remove(engine, "before_cursor_execute", count)

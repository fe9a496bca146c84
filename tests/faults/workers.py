"""A few forked workers, each with servers and a folder of its own, that try one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from tests.faults import children

Task = TypeVar("Task")
Result = TypeVar("Result")
Work = Callable[[Task], Result]


class Workers(Generic[Task, Result]):
    """Gives out tasks as workers get free, and hands back results as they come."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._connections = connections

    def do(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each task, in no order.

        Raises:
            RuntimeError: A worker could not do its task at all; the text says why.
        """
        waiting = list(reversed(tasks))
        busy = set()
        for connection in self._connections[: len(waiting)]:
            connection.send(waiting.pop())
            busy.add(connection)
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                told = ready.recv()
                if isinstance(told, RuntimeError):
                    raise told
                if waiting:
                    ready.send(waiting.pop())
                else:
                    busy.discard(ready)
                yield told


@contextmanager
def workers(
    n: int, open_bench: Callable[[int, ExitStack], Work[Task, Result]]
) -> Iterator[Workers[Task, Result]]:
    """Fork *n* workers; each opens what it needs with *open_bench*, given its number."""
    with ExitStack() as stack:
        ours = []
        for number in range(n):
            near, far = Pipe()
            stack.enter_context(children.alive(partial(_serve, far, number, open_bench)))
            far.close()
            ours.append(near)
        yield Workers(ours)


def _serve(
    connection: Connection,
    number: int,
    open_bench: Callable[[int, ExitStack], Work[Task, Result]],
) -> None:
    with ExitStack() as stack:
        work = open_bench(number, stack)
        while True:
            try:
                task = connection.recv()
            except EOFError:
                return
            try:
                connection.send(work(task))
            except RuntimeError as exc:
                connection.send(RuntimeError(str(exc)))

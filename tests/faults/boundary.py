"""The calls by which a process touches the world, counted; the N-th may be the one that fails.

Boundary calls are each SQL statement, commit and rollback, each connect, send and receive of a
TCP socket, each lock, and each change of a file under the home folder. No point of failure is
named by hand, so the list cannot rot. What comes in pieces, as the network likes, counts once:
else the same run would have other numbers each time.
"""

from __future__ import annotations

import builtins
import fcntl
import io
import os
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

ROOT = Path(__file__).parents[2]
OURS = frozenset({"voc", "notifications", "sources", "tasks", "flows", "nlp", "apps", "migrations"})
TCP = frozenset({socket.AF_INET, socket.AF_INET6})
CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
OF_A_DIALECT = (
    "connect",
    "do_execute",
    "do_executemany",
    "do_execute_no_params",
    "do_commit",
    "do_rollback",
)
OF_A_SOCKET = ("connect", "send", "sendall", "recv", "recv_into")
READS = frozenset({"recv", "recv_into"})
OF_PATHS = ("link", "replace", "rename", "unlink", "mkdir", "rmdir")
OF_DESCRIPTORS = ("fsync", "write", "ftruncate")


class Fault(StrEnum):
    """How a boundary call fails."""

    KILL = "kill"  # the process ends with -9 before the call
    ERROR = "error"  # the call is not made, and raises
    TIMEOUT = "timeout"  # the call is made, and raises as if nobody had answered


class Boundary:
    """Counts the boundary calls of this process; the *nth* one fails as *fault* says.

    Args:
        home: Files elsewhere are not ours.
        tell: Given the name of the call that fails, before it does.
    """

    def __init__(
        self,
        home: Path,
        *,
        nth: int | None = None,
        fault: Fault = Fault.KILL,
        tell: Callable[[str], object] = lambda _name: None,
    ) -> None:
        self.names: list[str] = []
        self._home = home.resolve()
        self._nth = nth
        self._fault = fault
        self._tell = tell
        self._reads_from: socket.socket | None = None

    def pass_through(
        self,
        name: str,
        refusal: type[Exception],
        call: Callable[..., Any],
        *args: Any,
        **named: Any,
    ) -> Any:
        """Make *call*, unless it is the one that fails."""
        self._reads_from = None
        self.names.append(name)
        if len(self.names) != self._nth:
            return call(*args, **named)
        self._tell(f"{name}, {_our_line()}")
        if self._fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault is Fault.ERROR:
            raise _error(refusal, 5, "injected: the call was not made")
        with suppress(BlockingIOError):  # a connection that is under way
            call(*args, **named)
        raise _error(refusal, 110, "injected: it was made, and nobody answered")

    @contextmanager
    def around(self, engine: Engine | None = None) -> Iterator[Boundary]:
        """Count all calls of the block. *engine* is the database that it works with."""
        with ExitStack() as undo:
            if engine is not None:
                self._watch_database(engine, undo)
            self._watch_sockets(undo)
            self._watch_files(undo)
            yield self

    def _watch_database(self, engine: Engine, undo: ExitStack) -> None:
        refusal = sqlite3.OperationalError
        for method in OF_A_DIALECT:
            call = getattr(engine.dialect, method)

            def made(*args: Any, _call: Any = call, _name: str = method, **named: Any) -> Any:
                return self.pass_through(_sql_name(_name, args), refusal, _call, *args, **named)

            _replace(engine.dialect, method, made, undo)

    def _watch_sockets(self, undo: ExitStack) -> None:
        for method in OF_A_SOCKET:
            call = getattr(socket.socket, method)

            def made(it: Any, *args: Any, _call: Any = call, _name: str = method) -> Any:
                reads_on = _name in READS and it is self._reads_from
                if it.family not in TCP or reads_on:
                    return _call(it, *args)
                received = self.pass_through(f"socket {_name}", OSError, _call, it, *args)
                self._reads_from = it if _name in READS else None
                return received

            _replace(socket.socket, method, made, undo)

    def _watch_files(self, undo: ExitStack) -> None:
        for method in OF_PATHS:
            self._watch(os, method, self._is_ours, undo)
        for method in OF_DESCRIPTORS:
            self._watch(os, method, _is_file, undo)
        self._watch(os, "open", self._changes_with_flags, undo)
        self._watch(fcntl, "flock", lambda *_: True, undo)
        for module in (io, builtins):  # `Path` uses the one, `open` is the other
            self._watch(module, "open", self._changes_with_mode, undo)

    def _watch(
        self, module: Any, method: str, counts: Callable[..., bool], undo: ExitStack
    ) -> None:
        call = getattr(module, method)

        def made(*args: Any, **named: Any) -> Any:
            if not counts(*args, **named):
                return call(*args, **named)
            return self.pass_through(f"file {method}", OSError, call, *args, **named)

        _replace(module, method, made, undo)

    def _is_ours(self, path: Any, *_: Any, **__: Any) -> bool:
        return isinstance(path, str | os.PathLike) and Path(path).absolute().is_relative_to(
            self._home
        )

    def _changes_with_flags(self, path: Any, flags: int, *_: Any, **__: Any) -> bool:
        return bool(flags & CHANGES) and self._is_ours(path)

    def _changes_with_mode(self, path: Any, mode: str = "r", *_: Any, **__: Any) -> bool:
        return bool(set(mode) & set("wax+")) and self._is_ours(path)


def _is_file(descriptor: int, *_: Any) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _error(kind: type[Exception], number: int, text: str) -> Exception:
    return OSError(number, text) if kind is OSError else kind(text)


def _sql_name(method: str, args: tuple[Any, ...]) -> str:
    if method.startswith("do_execute"):
        words = str(args[1]).split()
        table = words[words.index("FROM") + 1] if "FROM" in words[1:] else ""
        return " ".join(["sql", *words[: 3 if words[0] != "SELECT" else 1], table]).strip()
    return f"sql {method.removeprefix('do_')}"


def _our_line() -> str:
    """The innermost line of the product that is at work."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS:
            return f"{path.relative_to(ROOT)}:{frame.f_lineno} {frame.f_code.co_name}"
    return "outside of the product"


def _replace(owner: Any, name: str, value: Any, undo: ExitStack) -> None:
    was, own = getattr(owner, name), name in vars(owner)
    setattr(owner, name, value)
    undo.callback(lambda: setattr(owner, name, was) if own else delattr(owner, name))

"""The processes that `voc up` stands on: started in order, watched, stopped in reverse."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from apps.cli.prefect_server import start, stop

LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Child:
    """One process, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """Ctrl-C and SIGTERM interrupt the block; whatever ends it, no child outlives it."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    def start(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Child:
        """Start ``python -m ARGUMENTS``."""
        log = self._logs / f"{name}.log"
        child = Child(name, start([*arguments], log=log, env=env), log)
        self._children.append(child)
        return child

    def wait_for_one_to_end(self) -> Child:
        """The first child that ends by itself."""
        while True:
            for child in self._children:
                if child.process.poll() is not None:
                    return child
            time.sleep(LOOK_EVERY_S)

    def __enter__(self) -> Self:
        # Started in the background of a script, we would have inherited "ignore SIGINT".
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C changes nothing
        for child in reversed(self._children):
            stop(child.process)

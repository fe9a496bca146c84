"""Work in forked processes: they start at once, have imported everything, and may die."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1


def start(work: Callable[[], object], *, errors: Path | None = None) -> int:
    """Do *work* in a child; its process id. It ends with 0, with 1 if *work* raised, or dies."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        _end_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits for it ends it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        code = 0
    except BaseException:  # noqa: BLE001  (told by code and file; nothing may return from here)
        told = traceback.format_exc()
        if errors is not None:
            errors.write_text(told)
        else:
            sys.stderr.write(told)
            sys.stderr.flush()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a child; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(work: Callable[[], object], *, errors: Path | None = None) -> int:
    """Do *work* in a child and wait for its end."""
    return ended(start(work, errors=errors))


@contextmanager
def alive(work: Callable[[], object]) -> Iterator[int]:
    """A child that works for as long as the block does."""
    pid = start(work)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)


def _end_with_parent() -> None:
    """No child outlives whoever would have ended it. Where the system cannot do that, some may."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

"""A real PostgreSQL server for as long as a test needs it, on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root


def binaries() -> Path | None:
    """Where the server's programs are; None if it is not installed."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database on a server that ends with the block."""
    programs = binaries()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="voc-pg-") as name:
        if OWNER is not None:
            shutil.chown(name, OWNER)
        _run(programs / "initdb", "-D", f"{name}/data", "-U", "voc", "-A", "trust", "-N")
        options = f"-c listen_addresses= -c fsync=off -k {name}"
        _run(
            programs / "pg_ctl",
            "-D",
            f"{name}/data",
            "-w",
            "-l",
            f"{name}/log",
            "-o",
            options,
            "start",
        )
        try:
            yield f"postgresql+psycopg://voc@/postgres?host={name}"
        finally:
            _run(programs / "pg_ctl", "-D", f"{name}/data", "-m", "immediate", "stop")


def _run(*command: object) -> None:
    subprocess.run([str(c) for c in command], check=True, user=OWNER, stdout=subprocess.DEVNULL)

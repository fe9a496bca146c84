"""A Prefect server of our own: for one run, or for as long as `voc up` stands.

For one run only the API is started, without background services: on SQLite their writes and
the run's lock each other out for up to a minute at a time (docs/adr/0004).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from voc.errors import VocError
from voc.settings import Settings

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 20
# The kernel ends the server together with us, even when we are killed: then nothing is left
# behind that holds its database. Elsewhere than on Linux a killed run leaves it running.
_LAUNCH = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
"""


def quiet_prefect(settings: Settings) -> None:
    """Set what Prefect reads from the environment. Call it before anything imports prefect."""
    defaults = {
        "PREFECT_HOME": str((settings.home / "prefect").resolve()),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_UI_STATIC_DIRECTORY": str((settings.home / "prefect" / "ui").resolve()),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


@contextmanager
def prefect_for_one_run(
    settings: Settings, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """The server that PREFECT_API_URL names, or one of our own that ends with the block."""
    quiet_prefect(settings)
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    port = free_port()
    log = settings.home / "prefect" / "server.log"
    server = start(
        ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-services"],
        log=log,
        env={"PREFECT_SERVER_UI_ENABLED": "false"},
    )
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        meanwhile()
        wait_until_healthy(os.environ["PREFECT_API_URL"], server, log)
        yield
    finally:
        del os.environ["PREFECT_API_URL"]
        stop(server)


def start(arguments: list[str], *, log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start ``python -m ARGUMENTS``, a child that does not outlive us; its output goes to *log*."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  (our own interpreter)
            [sys.executable, "-c", _LAUNCH, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **env},
            start_new_session=True,  # Ctrl-C is for us: we stop it in order
        )


def wait_until_healthy(api_url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the API answers.

    Raises:
        VocError: It ended, or did not answer in two minutes.
    """
    wait_until_answers(f"{api_url}/health", "the Prefect server", server, log)


def wait_until_answers(url: str, what: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until *url* answers that all is well.

    Raises:
        VocError: The process behind it ended, or did not answer in two minutes.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise VocError(f"{what} ended at once; {log} says why")
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise VocError(f"{what} did not answer in {START_TIMEOUT_S} s; {log} says why")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child in order; if it does not listen, end it and its own children all the same."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with suppress(ProcessLookupError):  # its session is its own: see `start`
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

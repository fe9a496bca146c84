"""The whole product standing: `voc up` as a person starts it, on free ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.small_company import write_company

START_TIMEOUT_S = 150
# The main job does not fall due while tests look at it.
SCHEDULES = 'schedules: {timezone: Europe/Berlin, loop: "0 3 * * *"}'
VOC = [sys.executable, "-m", "apps.cli"]


class _Patient(httpx.HTTPTransport):
    """Asks again when Prefect's server is busy: on SQLite "database is locked" answers 503."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(5):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            response.close()
            time.sleep(2)
        return response


@dataclass(frozen=True)
class Standing:
    """What `voc up` said when it stood."""

    process: subprocess.Popen[bytes]
    home: Path
    prefect: str
    web: str
    output: Path

    @property
    def api(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.prefect}/api", timeout=30, transport=_Patient())

    def voc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of ours beside it."""
        return subprocess.run(
            [*VOC, *arguments],
            env=environment(self.home) | {"PREFECT_API_URL": f"{self.prefect}/api"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def environment(home: Path) -> dict[str, str]:
    """Nothing of the developer's own Prefect or company."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "VOC_"))}
    return kept | {"VOC_HOME": str(home), "VOC_WEB_PORT": "0", "DO_NOT_TRACK": "1"}


@contextmanager
def voc_up(home: Path) -> Iterator[Standing]:
    """Start it, wait until it stands, and stop it."""
    output = home / "up.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*VOC, "up", "--prefect-port", "0"],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        text = wait_for("Up.", output, process)
        prefect = re.search(r"(http://\S+)/v2/\n", text)
        web = re.search(r"web app +(http://\S+)", text)
        assert prefect is not None, text
        assert web is not None, text
        yield Standing(process, home, prefect[1], web[1], output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_for(word: str, output: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        text = output.read_text()
        if word in text and "logs" in text:
            return text
        assert process.poll() is None, text
        time.sleep(0.3)
    raise AssertionError(f"not up in {START_TIMEOUT_S} s: {output.read_text()}")


def descendants(pid: int) -> dict[int, str]:
    """The processes that *pid* started, and theirs; by id, with their command lines."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it ended meanwhile
        if stat[0] != "Z":
            parents[int(folder.name)] = (int(stat[1]), line)
    found: dict[int, str] = {}
    for child, (parent, line) in parents.items():
        if parent == pid:
            found[child] = line
            found |= descendants(child)
    return found


class Stand:
    """Starts `voc up` when it is first wanted, and again when a test has ended it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._standing: Standing | None = None

    def __call__(self) -> Standing:
        if self._standing is None or self._standing.process.poll() is not None:
            home = self._folder / str(time.monotonic_ns())
            write_company(home)
            with (home / "voc.yaml").open("a", encoding="utf-8") as file:
                file.write(SCHEDULES)
            self._standing = self._stack.enter_context(voc_up(home))
        return self._standing

    def close(self) -> None:
        self._stack.close()

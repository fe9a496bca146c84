"""What was handed over, and the ledger's head: a file beside the database, on purpose.

A database that is put back from a backup forgets what left since, and looks whole. This file is
not put back with it: it knows. One line for each hand-over, on the disk before the provider
gets the message; ids and digests only, so that it may be kept for ever and erasure leaves it.

    head      AT LENGTH HASH ROOT
    handed    AT LENGTH HASH ROOT MESSAGE WORDS
    refused   AT LENGTH HASH ROOT MESSAGE WORDS
    restored  AT LENGTH HASH ROOT FORK
    lost      AT LENGTH HASH ROOT MESSAGE WORDS

A restore that a person has looked into begins a new file: `restored`, with the length up to
which the old head and the new one agree, and then what left without the database knowing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

TAIL_BYTES = 64 * 1024  # senders that overlap write out of order, but never this far apart
NONE = "-"
HEX = "[0-9a-f]{64}"
LINE = re.compile(
    r"(?P<kind>head|handed|refused|restored|lost) (?P<at>\S+) (?P<length>\d+) "
    rf"(?P<hash>{HEX}) (?P<root>{HEX}|-)"
    rf"(?: (?P<fork>\d{{1,19}}))?(?: (?P<message>{HEX}) (?P<words>{HEX}|-))?"
)
OF_MESSAGES = {"handed", "refused", "lost"}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of the ledger's chain at one moment."""

    length: int
    hash: str
    root: str = ""
    """Of the Merkle tree over all events; empty where none was written down."""


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    at: str
    head: Head
    fork: int = 0
    message: str = ""
    words: str = ""

    def __str__(self) -> str:
        head = self.head
        text = f"{self.kind} {self.at} {head.length} {head.hash} {head.root or NONE}"
        if self.kind == "restored":
            return f"{text} {self.fork}"
        return f"{text} {self.message} {self.words or NONE}" if self.message else text


def message_digest(message_id: str) -> str:
    """What the journal calls the message with this Message-ID."""
    return hashlib.sha256(message_id.encode()).hexdigest()


class Journal:
    """The files in *folder*, made at the first line. Processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def anchor(self, head: Head, at: datetime) -> None:
        """Write down how far the ledger has come.

        Raises:
            OSError: It could not be written for certain. So do the others that write.
        """
        self._append(_Line("head", _moment(at), head))

    def hand_over(self, head: Head, message: str, words_hash: str, at: datetime) -> None:
        """Write down that the handing-over begins; on the disk when this returns.

        Args:
            message: Its `message_digest`.
            words_hash: Its `Message.words_hash`, or "".
        """
        self._append(_Line("handed", _moment(at), head, message=message, words=words_hash))

    def refused(self, head: Head, message: str, words_hash: str, at: datetime) -> None:
        """Take back a hand-over: the other side said clearly that it has not taken it."""
        self._append(_Line("refused", _moment(at), head, message=message, words=words_hash))

    def last_head(self) -> Head | None:
        """The newest head written down since the last restore; None if there is none at all."""
        files = self._files()
        if not files:
            return None
        with files[-1].open("rb") as file:
            file.seek(max(0, files[-1].stat().st_size - TAIL_BYTES))
            tail = file.read()
        heads = [line.head for line in map(_parse, tail.split(b"\n")[:-1]) if line is not None]
        return max(heads, key=lambda head: head.length, default=None)

    def heads(self) -> Iterator[Head]:
        """Every head that the database has to have come through, in the order written."""
        for line in self._known():
            if line.kind != "lost":
                yield line.head

    def handed_over(self, beyond: int = 0) -> dict[str, str]:
        """By message the words of what was handed over, and which the database has to know.

        Args:
            beyond: Only while the ledger was longer than this.
        """
        found: dict[str, str] = {}
        for line in self._known():
            if line.kind == "handed" and line.head.length > beyond:
                found[line.message] = line.words
            elif line.kind == "refused":
                found.pop(line.message, None)
        return found

    def times_handed_over(self) -> Counter[str]:
        """By message how often it was handed over, less how often it was clearly refused."""
        times: Counter[str] = Counter()
        for line in self._known():
            if line.kind == "handed":
                times[line.message] += 1
            elif line.kind == "refused" and times[line.message]:  # else there is nothing to refuse
                times[line.message] -= 1
        return +times

    def lost(self) -> dict[str, str]:
        """By message the words of what was handed over before a restore, and forgotten by it."""
        files = self._files()
        if len(files) <= 1:
            return {}
        lines = _read(files[-1])
        next(lines, None)  # the restore itself
        forgotten = takewhile(lambda line: line.kind == "lost", lines)
        return {line.message: line.words for line in forgotten}

    def restart(self, head: Head, *, fork: int, at: datetime) -> None:
        """Go on with a database that is an older copy, from *head* on.

        Args:
            fork: The longest head written down so far that this database has come through.
        """
        lost = self.lost() | self.handed_over(beyond=fork)
        moment = _moment(at)
        lines = [_Line("restored", moment, head, fork=fork)]
        lines += [_Line("lost", moment, head, message=m, words=w) for m, w in lost.items()]
        with self._locked():
            path = self._folder / f"{len(self._files()) + 1:04}.log"
            draft = path.with_suffix(".draft")
            _write(draft, "".join(f"{line}\n" for line in lines).encode(), os.O_TRUNC)
            draft.rename(path)
            _sync_folder(self._folder)

    def _known(self) -> Iterator[_Line]:
        """The lines of what this database has come through, less what a restore undid."""
        files = self._files()
        forks = [first.fork if (first := next(_read(f), None)) else 0 for f in files]
        for n, file in enumerate(files):
            until = min(forks[n + 1 :], default=None)
            for line in _read(file):
                if until is None or line.head.length <= until:
                    yield line

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.log"))

    def _append(self, line: _Line) -> None:
        with self._locked():
            files = self._files()
            path = files[-1] if files else self._folder / "0001.log"
            torn = b"" if not files or _is_whole(path) else b"\n"
            _write(path, torn + f"{line}\n".encode(), os.O_APPEND)
            if not files:
                _sync_folder(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _parse(raw: bytes) -> _Line | None:
    """None for what a writer that died left half written: it handed nothing over."""
    found = LINE.fullmatch(raw.decode("ascii", "replace"))
    if found is None or bool(found["message"]) != (found["kind"] in OF_MESSAGES):
        return None
    root, words = (found[name] or NONE for name in ("root", "words"))
    return _Line(
        kind=found["kind"],
        at=found["at"],
        head=Head(int(found["length"]), found["hash"], "" if root == NONE else root),
        fork=int(found["fork"] or 0),
        message=found["message"] or "",
        words="" if words == NONE else words,
    )


def _read(path: Path) -> Iterator[_Line]:
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n") and (line := _parse(raw[:-1])) is not None:
                yield line


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        return not file.seek(0, os.SEEK_END) or (
            file.seek(-1, os.SEEK_END) >= 0 and file.read(1) == b"\n"
        )


def _write(path: Path, content: bytes, flag: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")

"""An IMAP server that shows the mails of a folder, to one reader who changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

ARRIVED = "02-Mar-2026 09:00:00 +0000"


def serve_letterbox(folder: Path, tell: Callable[[int], object]) -> None:
    """Serve ``1.eml``, ``2.eml``, ... of *folder*, as they are when asked, until the end."""
    handler = type("Handler", (_Session,), {"folder": folder})
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        tell(server.server_address[1])
        server.serve_forever()


class _Session(StreamRequestHandler):
    folder: Path

    def handle(self) -> None:
        self._say("* OK [CAPABILITY IMAP4rev1] here")
        for raw in self.rfile:
            tag, command, *rest = raw.decode().strip().split(" ", 2)
            told = rest[0] if rest else ""
            if command == "UID":
                command, _, told = told.partition(" ")
            answer = getattr(self, f"_{command.lower()}", None)
            if answer is not None:
                answer(told)
            self._say(f"{tag} OK done")
            if command == "LOGOUT":
                return

    def _capability(self, _told: str) -> None:
        self._say("* CAPABILITY IMAP4rev1")

    def _examine(self, _told: str) -> None:
        self._say(f"* {len(self._uids())} EXISTS")
        self._say("* OK [UIDVALIDITY 7] counted since")

    def _search(self, _told: str) -> None:
        self._say(" ".join(["* SEARCH", *map(str, self._uids())]))

    def _fetch(self, told: str) -> None:
        for uid in map(int, re.split(",", told.partition(" ")[0])):
            mail = (self.folder / f"{uid}.eml").read_bytes().replace(b"\n", b"\r\n")
            self._say(
                f'* {uid} FETCH (UID {uid} INTERNALDATE "{ARRIVED}" BODY[]<0> {{{len(mail)}}}'
            )
            self.wfile.write(mail + b")\r\n")

    def _logout(self, _told: str) -> None:
        self._say("* BYE")

    def _uids(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.eml"))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

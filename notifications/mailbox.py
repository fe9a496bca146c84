"""The local mailbox: a folder that mails go to which are not sent. It can be looked at.

One file a mail, named by the hash of its Message-ID, in a folder for the day on its Date
header: the name follows from the frozen bytes, so the same mail can only ever be there once.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from email import message_from_bytes
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path

from notifications.channel import Capability, Envelope

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
td, th {{ text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


class MailboxChannel:
    """Stores mails in *folder*. It can be asked what it has, so nothing is ever in doubt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days_written: set[Path] = set()

    def route_for(self, recipient: str) -> str:
        return "mailbox"

    def prepare(self, mail: Envelope) -> None:
        """Nothing can fail harmlessly here that could not fail in `hand_over`."""

    def hand_over(self, mail: Envelope) -> str:
        """Write the mail to a draft, then link it to its name: all of it is there, or nothing.

        Raises:
            OSError: The disk is full or read-only; the mail is not there, and can be looked up.
        """
        path = self._path(mail)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".draft") as draft:
            draft.write(mail.content)
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):  # then it is there: nothing else has this name
                os.link(draft.name, path)
        _sync_folder(path.parent)
        self._days_written.add(path.parent)
        return path.name

    def capability_of(self, route: str) -> Capability:
        return Capability.IDEMPOTENT

    def look_up(self, route: str, mail: Envelope) -> str | None:
        path = self.find(mail.message_id) if route == "mailbox" else None
        if path is None:
            return None
        self._days_written.add(path.parent)  # who wrote it may not have listed it
        return path.name

    def find(self, message_id: str) -> Path | None:
        """The file of the mail with this Message-ID."""
        return next(self._folder.glob(f"*/{_name(message_id)}.eml"), None)

    def close(self) -> None:
        """Bring the listing up to date: only the days that got mail are written anew."""
        write_index(self._folder, sorted(self._days_written))
        self._days_written.clear()

    def _path(self, mail: Envelope) -> Path:
        head = BytesHeaderParser().parsebytes(mail.content.partition(b"\r\n\r\n")[0])
        day = parsedate_to_datetime(head["Date"]).date().isoformat()
        return self._folder / day / f"{_name(mail.message_id)}.eml"


def write_index(folder: Path, days: list[Path]) -> None:
    """Write the listing of *days*, and of the days there are.

    Beside each mail of these days stands its HTML part, so that a browser can show it.
    """
    if not days:
        return
    for day in days:
        rows = "\n".join(row for _, row in sorted(_row(path) for path in day.glob("*.eml")))
        _write_page(day / "index.html", f"Mails of {day.name}", f"<table>\n{rows}\n</table>")
    links = "\n".join(
        f'<li><a href="{escape(day.name)}/index.html">{escape(day.name)}</a></li>'
        for day in sorted(folder.glob("????-??-??"), reverse=True)
    )
    _write_page(folder / "index.html", "Mails that were not sent", f"<ul>\n{links}\n</ul>")


def _row(path: Path) -> tuple[str, str]:
    """A mail's moment, to sort by, and its line in the listing.

    Only the head is read of mails that were listed before: a busy day has thousands.
    """
    page = path.with_suffix(".html")
    content = path.read_bytes()
    if not page.exists() and (
        body := message_from_bytes(content, policy=default).get_body(("html",))
    ):
        _write(page, body.get_content())
    head = BytesHeaderParser().parsebytes(content.partition(b"\r\n\r\n")[0])
    at = parsedate_to_datetime(head["Date"])
    subject = escape(str(make_header(decode_header(head["Subject"]))))
    return at.isoformat(), (
        f'<tr><td>{at:%H:%M}</td><td><a href="{page.name}">{subject}</a></td>'
        f'<td><a href="{path.name}">as a mail file</a></td></tr>'
    )


def _name(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _write_page(path: Path, title: str, body: str) -> None:
    _write(path, PAGE.format(title=escape(title), body=body))


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: someone may be reading it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as draft:
        draft.write(text)
    Path(draft.name).replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The local mailbox: a folder that messages go to which are not sent. It can be looked at.

One file a message, named by the hash of its Message-ID, in a folder for the day on which it was
frozen: the name follows from the frozen bytes, so the same message can only ever be there once.
Mails are kept as they are; all other messages as text or JSON with a head that says where they
would have gone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from datetime import datetime
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from notifications.channel import Capability, Envelope
from notifications.kept import SUFFIXES, as_kept
from notifications.listing import write_index
from voc.models import DeliveryChannel

log = logging.getLogger(__name__)


class MailboxChannel:
    """Stores messages in *folder*. It can be asked what it has, so nothing is ever in doubt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days_written: set[Path] = set()

    def route_for(self, recipient: str) -> str:
        return "mailbox"

    def prepare(self, mail: Envelope) -> None:
        """Nothing can fail harmlessly here that could not fail in `hand_over`."""

    def hand_over(self, mail: Envelope) -> str:
        """Write the message to a draft, then link it to its name: all of it is there, or nothing.

        Raises:
            OSError: The disk is full or read-only; the message is not there, and can be looked
                up.
        """
        path = self._path(mail)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".draft") as draft:
            draft.write(as_kept(mail))
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
        """The file of the message with this Message-ID."""
        kinds = set(SUFFIXES.values())
        named = self._folder.glob(f"*/{_name(message_id)}.*")
        return next((path for path in named if path.suffix in kinds), None)

    def close(self) -> None:
        """Bring the listing up to date: only the days that got messages are written anew."""
        try:
            write_index(self._folder, sorted(self._days_written))
        except OSError as exc:  # the messages are there all the same
            log.warning("the mailbox's listing cannot be written: %s", exc.strerror)
        self._days_written.clear()

    def _path(self, mail: Envelope) -> Path:
        name = f"{_name(mail.message_id)}{SUFFIXES[mail.channel]}"
        return self._folder / _moment(mail).date().isoformat() / name


def _moment(mail: Envelope) -> datetime:
    """When it was frozen: for a mail as its own Date header says."""
    if mail.channel is not DeliveryChannel.EMAIL:
        return mail.frozen_at
    head = BytesHeaderParser().parsebytes(mail.content.partition(b"\r\n\r\n")[0])
    return parsedate_to_datetime(head["Date"])


def _name(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

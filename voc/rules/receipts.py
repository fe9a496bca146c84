"""What a reviewer gets of one loop. How it is checked stands in `voc.rules.receipt_checks`.

Holds no words and no customer's address: ids, codes, hashes, and which colleague did what.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from voc.errors import VocError

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel, frozen=True, extra="forbid"):
    pass


class Anchor(_Part):
    """The ledger's head that the events are proven against."""

    length: int
    hash: Hash
    root: Hash
    in_journal: bool
    """Whether it stands outside of the database, too."""


class Event(_Part):
    """One event, all of it, and its way to the root."""

    number: int
    """In the ledger, from 1."""
    previous_hash: Hash
    ticket_id: int | None
    loop_id: int | None
    message_id: int | None
    kind: str
    actor: str
    detail: str
    at: AwareDatetime
    hash: Hash
    audit_path: tuple[Hash, ...] | None
    """None: it is newer than the anchor."""


class SentMessage(_Part):
    """A message of the loop, as it stands now."""

    id: int
    step: str
    channel: str
    state: str
    provider_id: str | None
    sha256: str | None
    """Of its frozen bytes; None if they were never written or have been erased."""


class Words(_Part):
    """A version of what the customer said."""

    feedback: int
    version: int
    content_hash: str


class Receipt(_Part):
    """One loop from the first word to the last answer."""

    format: Literal["vocloop receipt 1"] = "vocloop receipt 1"
    loop: int
    state: str
    anchor: Anchor
    words: tuple[Words, ...]
    messages: tuple[SentMessage, ...]
    events: tuple[Event, ...]

    @property
    def newer(self) -> int:
        """How many events the anchor does not cover."""
        return sum(event.audit_path is None for event in self.events)


def read_receipt(text: str) -> Receipt:
    """A receipt from its JSON.

    Raises:
        VocError: It is none; the text says where it is not.
    """
    try:
        return Receipt.model_validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise VocError(f"this is no receipt: {where}: {first['msg']}") from None

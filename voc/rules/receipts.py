"""What a reviewer gets of one loop, and how it is checked without any database.

Holds no words and no customer's address: ids, codes, hashes, and which colleague did what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from voc.errors import VocError
from voc.rules import chain, merkle
from voc.rules.provenance import read_content_hash, read_origin

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


def check_receipt(receipt: Receipt, root: str | None = None) -> list[str]:
    """What is wrong with a receipt, a sentence each; empty if nothing is.

    Args:
        root: The root that the reviewer has from elsewhere. Without it a receipt shows only
            that it fits together.
    """
    problems = [] if root in {None, receipt.anchor.root} else ["the root is another one"]
    return [*problems, *_events(receipt), *_messages(receipt), *_words(receipt)]


def _events(receipt: Receipt) -> Iterator[str]:
    anchor, before = receipt.anchor, None
    if not receipt.events:
        yield "it has no events"
    for event in receipt.events:
        name = f"event {event.number}"
        if event.hash != _link(event):
            yield f"{name} was changed"
        elif event.audit_path is None:
            if event.number <= anchor.length:
                yield f"{name} has no path, and is not newer than the anchor"
        elif not merkle.check_path(
            event.hash, event.number - 1, anchor.length, event.audit_path, anchor.root
        ):
            yield f"{name} is not under the root"
        if event.number == anchor.length and event.hash != anchor.hash:
            yield f"{name} is not the head that was anchored"
        if before is not None:
            if event.number <= before.number:
                yield f"{name} is out of order"
            elif event.number == before.number + 1 and event.previous_hash != before.hash:
                yield f"{name} does not follow the one before it"
        before = event


def _messages(receipt: Receipt) -> Iterator[str]:
    """The bytes are those that the ledger saw leaving."""
    hashes = {message.id: message.sha256 for message in receipt.messages}
    for event in receipt.events:
        told, stored = read_content_hash(event.detail), hashes.get(event.message_id or 0)
        if event.kind == "message_sending" and told and stored and told != stored:
            yield f"message {event.message_id} is not the one that event {event.number} handed over"


def _words(receipt: Receipt) -> Iterator[str]:
    """The versions are those that the ledger's decisions name."""
    stored = {(words.feedback, words.version): words.content_hash for words in receipt.words}
    for event in receipt.events:
        if event.kind in {"loop_opened", "decided"} and (origin := read_origin(event.detail)):
            feedback, version, content = origin
            if not stored.get((feedback, version), "").startswith(content):
                name = f"feedback {feedback}, version {version}"
                yield f"{name} is not what event {event.number} is about"


def _link(event: Event) -> str:
    return chain.link(
        event.previous_hash,
        ticket_id=event.ticket_id,
        loop_id=event.loop_id,
        message_id=event.message_id,
        kind=event.kind,
        actor=event.actor,
        detail=event.detail,
        at=event.at,
    )

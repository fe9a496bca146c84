"""What is wrong with a receipt: found without any database, and without trusting who made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain as chained

from voc.models import LoopState, TicketEventKind
from voc.rules import chain, merkle
from voc.rules.lifecycle import LAST_SAYS
from voc.rules.message_history import STATES, Entry, ImpossibleHistoryError, replay
from voc.rules.provenance import read_content_hash, read_origin
from voc.rules.receipts import Event, Receipt

LAST_SAID: Mapping[str, frozenset[LoopState]] = {
    kind.value: states for kind, states in LAST_SAYS.items()
}
"""By the name of a kind: what stands in a receipt may be anything."""


def check_receipt(receipt: Receipt, root: str | None = None) -> list[str]:
    """What is wrong with a receipt, a sentence each; empty if nothing is.

    Args:
        root: The root that the reviewer has from elsewhere. Without it a receipt shows only
            that it fits together.
    """
    problems = [] if root in {None, receipt.anchor.root} else ["the root is another one"]
    checks = (_events, _belonging, _state, _messages, _words)
    return [*problems, *chained.from_iterable(check(receipt) for check in checks)]


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


def _belonging(receipt: Receipt) -> Iterator[str]:
    """Each event is about this loop, a ticket that it waited for, or a message of it."""
    ours = [event for event in receipt.events if event.loop_id == receipt.loop]
    tickets = {event.ticket_id for event in ours if event.ticket_id is not None}
    messages = {message.id for message in receipt.messages}
    for event in receipt.events:
        of_ticket = event.loop_id is None and event.ticket_id in tickets
        if event.loop_id != receipt.loop and not of_ticket and event.message_id not in messages:
            yield f"event {event.number} is not about loop {receipt.loop}"
    for event in ours:
        if event.message_id is not None and event.message_id not in messages:
            yield f"message {event.message_id}, which event {event.number} is about, is left out"


def _state(receipt: Receipt) -> Iterator[str]:
    """The loop is what the newest of its events says."""
    said: frozenset[LoopState] = frozenset()
    for event in receipt.events:
        if event.loop_id == receipt.loop:
            said = LAST_SAID.get(event.kind, said)
    if receipt.events and receipt.state not in said:
        what = " or ".join(sorted(said)) or "nothing"
        yield f"loop {receipt.loop} is {receipt.state}, its events say {what}"


def _messages(receipt: Receipt) -> Iterator[str]:
    """Each is what its events lead to, and the bytes are those that the ledger saw leaving."""
    for message in receipt.messages:
        try:
            possible = replay(_history(receipt, message.id), is_whole=False)
        except ImpossibleHistoryError as exc:
            yield f"event {exc.entry.event_id}, about message {message.id}, {exc.problem}"
        else:
            if message.state not in possible:
                said = " or ".join(sorted(possible))
                yield f"message {message.id} is {message.state}, its events say {said}"
    hashes = {message.id: message.sha256 for message in receipt.messages}
    for event in receipt.events:
        told, stored = read_content_hash(event.detail), hashes.get(event.message_id or 0)
        if event.kind == "message_sending" and told and stored and told != stored:
            yield f"message {event.message_id} is not the one that event {event.number} handed over"


def _history(receipt: Receipt, message_id: int) -> Iterator[Entry]:
    for event in receipt.events:
        if event.message_id == message_id and event.kind in STATES:
            kind = TicketEventKind(event.kind)
            yield Entry(event_id=event.number, kind=kind, detail=event.detail, actor=event.actor)


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

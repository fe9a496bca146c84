"""Taking in a page from a source: what is new, what was edited, what is gone, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from voc.actions.erase import DELETED_AT_SOURCE, erase_feedback
from voc.arrivals import Page, RawFeedback, Rejected
from voc.models import (
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Quarantine,
    SourceCursor,
    Tombstone,
)
from voc.rules.tokens import digest
from voc.store import customers, touched
from voc.store.database import transaction
from voc.store.upsert import insert_new

Masked = tuple[str, dict[str, int]]
"""A verbatim without personal data, and how much of each kind was masked."""
Mask = Callable[[str, Sequence[tuple[str, str]]], Masked]
"""Masks a verbatim, given (kind, value) pairs that are known of its author; counts by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What every item passes on its way in."""

    mask: Mask
    seal: Callable[[bytes], bytes]
    """Encrypts what goes into quarantine."""
    secret: bytes
    region: str


def read_cursor(engine: Engine, source: str) -> str | None:
    """How far *source* has been read."""
    with transaction(engine) as session:
        row = session.get(SourceCursor, source)
        return row.cursor if row else None


def store_page(
    engine: Engine, source: str, page: Page, door: Door, *, now: datetime
) -> Counter[str]:
    """Store a page and its cursor in one transaction; count what happened by kind.

    Masking stands between a reading and a writing transaction, so that no lock is held while
    it works. Repeats are harmless: `(source, external_id)` is unique, equal words change nothing.
    """
    with transaction(engine) as session:
        changed = _changed(session, source, page.items, door.secret)
        known = _known(session, changed, door.region)
    masked = [door.mask(item.verbatim, known[i]) for i, item in enumerate(changed)]
    with transaction(engine) as session:
        _wait_for_turn(session, source, now=now)
        counts = Counter(quarantined=quarantine(session, source, page.rejected, door, now=now))
        counts["deleted"] = _delete(session, source, page.deleted, now=now)
        late = _too_late(session, source, changed, in_order=page.in_order)
        new = [
            pair for pair in zip(changed, masked, strict=True) if pair[0].external_id not in late
        ]
        counts["unchanged"] = len(page.items) - len(new)
        counts += _store(session, source, new, door, now=now)
        session.merge(SourceCursor(source=source, cursor=page.cursor, read_at=now))
    return +counts


def _wait_for_turn(session: Session, source: str, *, now: datetime) -> None:
    """Store the pages of one source one after another: each sees what the last one has stored."""
    insert_new(session, SourceCursor, [{"source": source, "cursor": "", "read_at": now}])
    session.exec(
        select(SourceCursor).where(col(SourceCursor.source) == source).with_for_update()
    ).one()


def content_hash(secret: bytes, item: RawFeedback) -> str:
    """Of what the customer said: words and rating. Keyed, since short texts can be guessed."""
    rating = f"{item.rating.scale}:{item.rating.value:g}" if item.rating else ""
    return digest(secret, "content", f"{rating}\n{item.verbatim}").hex()


def item_hash(secret: bytes, item: RawFeedback) -> str:
    """Of everything that the source says, consent and addresses, too."""
    return digest(secret, "item", repr(item)).hex()


def quarantine(
    session: Session, source: str, rejected: Sequence[Rejected], door: Door, *, now: datetime
) -> int:
    """Keep what cannot be accepted, encrypted; the same item only once."""
    return insert_new(
        session,
        Quarantine,
        [
            {
                "source": source,
                "place": item.place[:255],
                "reason": item.reason[:255],
                "raw_hash": digest(door.secret, "raw", f"{item.place}\n{item.raw}").hex(),
                "raw_encrypted": door.seal(item.raw.encode("utf-8", "surrogatepass")),
                "at": now,
                "state": "waiting",
            }
            for item in rejected
        ],
    )


def _stored(session: Session, source: str, items: Sequence[RawFeedback]) -> dict[str, Feedback]:
    ids = [item.external_id for item in items]
    rows = session.exec(
        select(Feedback).where(Feedback.source == source, col(Feedback.external_id).in_(ids))
    )
    return {row.external_id: row for row in rows}


def _hashes(session: Session, stored: Mapping[str, Feedback]) -> dict[int, set[str]]:
    """The content hashes of all versions of each feedback."""
    ids = [feedback.id for feedback in stored.values()]
    found: dict[int, set[str]] = {}
    query = select(FeedbackVersion).where(col(FeedbackVersion.feedback_id).in_(ids))
    for row in session.exec(query):
        found.setdefault(row.feedback_id, set()).add(row.content_hash)
    return found


def _too_late(
    session: Session, source: str, items: Sequence[RawFeedback], *, in_order: bool
) -> set[str]:
    """The ids of what was taken back before it came, or of which we have newer words."""
    ids = [item.external_id for item in items]
    stones = select(Tombstone.external_id).where(
        Tombstone.source == source, col(Tombstone.external_id).in_(ids)
    )
    late = set(session.exec(stones))
    if in_order:
        return late
    stored = _stored(session, source, items)
    said = _said_last(session, stored.values())
    return late | {
        item.external_id
        for item in items
        if (ours := stored.get(item.external_id)) and item.said_at < said[ours.id or 0]
    }


def _said_last(session: Session, stored: Iterable[Feedback]) -> dict[int, datetime]:
    """By feedback when its newest words were said."""
    moments = {feedback.id or 0: feedback.said_at for feedback in stored}
    query = select(FeedbackVersion).where(col(FeedbackVersion.feedback_id).in_(moments))
    for row in session.exec(query.order_by(col(FeedbackVersion.number))):
        moments[row.feedback_id] = row.said_at or moments[row.feedback_id]
    return moments


def _changed(
    session: Session, source: str, items: Sequence[RawFeedback], secret: bytes
) -> list[RawFeedback]:
    """The items that we do not have as they are now. Of repeats in a page, each new one."""
    latest = {key: row.item_hash for key, row in _stored(session, source, items).items()}
    changed = []
    for item in items:
        digest = item_hash(secret, item)
        if latest.get(item.external_id) != digest:
            latest[item.external_id] = digest
            changed.append(item)
    return changed


def _known(
    session: Session, items: Sequence[RawFeedback], region: str
) -> list[list[tuple[str, str]]]:
    """Per item what is known of its author: what it says itself and what we have stored."""
    handles = [customers.handles_of(item, region=region) for item in items]
    owners = customers.owners_of(session, (h for found in handles for h in found))
    stored = customers.known_values(session, sorted(set(owners.values())))
    known = []
    for item, found in zip(items, handles, strict=True):
        own = [(i.kind.value, i.value) for i in item.identities]
        own += [("name", item.name)] if item.name else []
        ids = {owners[handle] for handle in found if handle in owners}
        known.append(own + [pair for customer_id in sorted(ids) for pair in stored[customer_id]])
    return known


def _store(
    session: Session,
    source: str,
    new: Sequence[tuple[RawFeedback, Masked]],
    door: Door,
    *,
    now: datetime,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    items = [item for item, _ in new]
    stored = _stored(session, source, items)
    hashes = _hashes(session, stored)
    handles = [customers.handles_of(item, region=door.region) for item in items]
    owners = customers.owners_of(session, (h for found in handles for h in found), hold=True)
    said_at = []
    for (item, (text, kinds)), found in zip(new, handles, strict=True):
        feedback = stored.get(item.external_id)
        if feedback is None:
            customer_id = customers.customer_for(session, found, owners, now=now)
            feedback = _new_feedback(source, item, customer_id, now=now)
            stored[item.external_id] = feedback
            counts["collected"] += 1
        elif feedback.reason == DELETED_AT_SOURCE or (
            feedback.item_hash == item_hash(door.secret, item)
        ):
            counts["unchanged"] += 1  # erased for good, or another run stored it meanwhile
            continue
        customers.learn(session, feedback.customer_id, item, found, owners, now=now)
        feedback.item_hash = item_hash(door.secret, item)
        session.add(feedback)
        session.flush()
        if content_hash(door.secret, item) in hashes.get(feedback.id or 0, ()):
            counts["unchanged"] += 1  # the words, now or in an older file that came again
            continue
        if feedback.id in hashes:
            counts["edited"] += 1
            feedback.version += 1
            feedback.state, feedback.reason = FeedbackState.COLLECTED, None
            _set_rating(feedback, item)
        said_at.append(feedback.said_at)
        digest_of_words = content_hash(door.secret, item)
        hashes.setdefault(feedback.id or 0, set()).add(digest_of_words)
        session.add(
            FeedbackVersion(
                feedback_id=feedback.id or 0,
                number=feedback.version,
                verbatim=text,
                content_hash=digest_of_words,
                masked=kinds,
                collected_at=now,
                said_at=item.said_at,
            )
        )
    touched.touch(session, said_at)
    return counts


def _new_feedback(source: str, item: RawFeedback, customer_id: int, *, now: datetime) -> Feedback:
    feedback = Feedback(
        source=source,
        external_id=item.external_id,
        channel=item.channel,
        customer_id=customer_id,
        said_at=item.said_at,
        collected_at=now,
        language=item.language,
        touchpoint=item.touchpoint,
        product=item.product,
        url=item.url,
    )
    _set_rating(feedback, item)
    return feedback


def _set_rating(feedback: Feedback, item: RawFeedback) -> None:
    feedback.rating = item.rating.value if item.rating else None
    feedback.rating_scale = item.rating.scale if item.rating else None


def _delete(session: Session, source: str, ids: Sequence[str], *, now: datetime) -> int:
    """Erase what we have of these; what we do not have yet is not let in later."""
    rows = session.exec(
        select(Feedback).where(Feedback.source == source, col(Feedback.external_id).in_(ids))
    ).all()
    unknown = set(ids) - {row.external_id for row in rows}
    stones = [{"source": source, "external_id": each, "at": now} for each in sorted(unknown)]
    insert_new(session, Tombstone, stones)
    return sum(erase_feedback(session, row, now=now) for row in rows)

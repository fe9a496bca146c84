"""Two customers turn out to be one person, or not to be after all."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col

from voc.errors import VocError
from voc.models import Consent, Customer, CustomerMerge, Feedback, Purpose, TicketEventKind
from voc.rules.customer_merges import Refused, why_not_merge, why_not_undo
from voc.rules.provenance import chose, same_person
from voc.store import audit, events
from voc.store import customer_merges as store
from voc.store.events import Happening
from voc.store.touched import touch_feedback

BY_MERGE = "merged with a customer who said no"
WHILE_MERGED = "said no while merged with another customer"


class MergeRefusedError(VocError):
    """Two customers are not merged, or a merge is not undone. The rule has its sentences."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why)
        self.why = why


def merge(
    session: Session, merged_id: int, *, into: int, actor: str, now: datetime
) -> CustomerMerge:
    """Call two customers the same person: everything of *merged_id* is that of *into* now.

    A no of either is a no of both. The caps count what either heard from us. Loops move with
    their messages; the key of a message does not change, so that no step is told twice.

    Raises:
        MergeRefusedError: One of them is gone or merged, or a message to them is on its way.
    """
    events.lock_head(session)
    sides = {each: store.side(session, each, lock=True) for each in sorted({merged_id, into})}
    kept_side, merged_side = sides[into], sides[merged_id]
    if kept_side is None or merged_side is None:
        raise MergeRefusedError(Refused.UNKNOWN)
    if why := why_not_merge(kept_side, merged_side):
        raise MergeRefusedError(why)
    refusals = _refusals(session, merged_id) | _refusals(session, into)
    last = store.last_consent(session)
    moved = store.move_all(session, merged_id, into)
    touch_feedback(session, col(Feedback.customer_id) == into)
    session.get_one(Customer, merged_id).merged_into_id = into
    done = CustomerMerge(
        kept_id=into,
        merged_id=merged_id,
        moved=moved,
        made=_refuse(session, into, refusals, how=BY_MERGE, now=now),
        consents_to=last,
        actor=actor,
        at=now,
    )
    session.add(done)
    session.flush()
    _remember(session, done, TicketEventKind.CUSTOMER_MERGED, actor=actor, now=now)
    return done


def undo(session: Session, merge_id: int, *, actor: str, now: datetime) -> CustomerMerge:
    """They are two after all: what moved goes back; what came since stays with the kept one.

    But what has not left yet about a loop that goes back goes with it, and what waits for either
    is written anew. A no that was said in the meantime holds for both.

    Raises:
        MergeRefusedError: There is no such merge, or it cannot be undone now.
    """
    events.lock_head(session)
    done = session.get(CustomerMerge, merge_id, populate_existing=True)
    if done is None:
        raise MergeRefusedError(Refused.UNKNOWN)
    store.side(session, done.merged_id, lock=True)
    kept = store.side(session, done.kept_id, lock=True)
    if kept is None:
        raise MergeRefusedError(Refused.UNKNOWN)
    if why := why_not_undo(kept, is_undone=done.undone_at is not None):
        raise MergeRefusedError(why)
    store.move_back(session, done)
    touch_feedback(session, col(Feedback.customer_id).in_([done.kept_id, done.merged_id]))
    followed = store.follow_their_loops(session, done)
    store.forget_consents(session, done.made)
    session.expire_all()
    session.get_one(Customer, done.merged_id).merged_into_id = None
    done.undone_by, done.undone_at = actor, now
    _remember(session, done, TicketEventKind.CUSTOMER_UNMERGED, *followed, actor=actor, now=now)
    _hold_for_both(session, done, actor=actor, now=now)
    store.write_waiting_anew(session, done, now=now)
    return done


def _refusals(session: Session, customer_id: int) -> set[Purpose]:
    """What they do not want to hear from us for."""
    newest = ((each, store.newest_consent(session, customer_id, each)) for each in Purpose)
    return {purpose for purpose, row in newest if row is not None and not row.granted}


def _refuse(
    session: Session, customer_id: int, purposes: set[Purpose], *, how: str, now: datetime
) -> list[int]:
    """Make a no their newest word; return the ids of what had to be added for that."""
    made = []
    for purpose in sorted(purposes):
        newest = store.newest_consent(session, customer_id, purpose)
        if newest is not None and not newest.granted:
            continue
        at = max(now, newest.at) if newest else now
        row = Consent(customer_id=customer_id, purpose=purpose, granted=False, how=how, at=at)
        session.add(row)
        session.flush()
        made.append(row.id or 0)
    return made


def _hold_for_both(session: Session, done: CustomerMerge, *, actor: str, now: datetime) -> None:
    """Whoever said no in the meantime may have been either of them."""
    said = set()
    for purpose in _refusals(session, done.kept_id):
        newest = store.newest_consent(session, done.kept_id, purpose)
        if newest is not None and (newest.id or 0) > done.consents_to:
            said.add(purpose)
    if _refuse(session, done.merged_id, said, how=WHILE_MERGED, now=now):
        silenced = [
            Happening(kind=TicketEventKind.OPTED_OUT, detail=chose(done.merged_id, purpose))
            for purpose in sorted(said)
        ]
        events.append(session, silenced, actor=actor, now=now)


def _remember(
    session: Session,
    done: CustomerMerge,
    kind: TicketEventKind,
    *followed: int,
    actor: str,
    now: datetime,
) -> None:
    """Into the ledger, for whoever checks opt-outs; and into the audit log."""
    detail = same_person(done.merged_id, done.kept_id)
    happened = [Happening(kind=kind, detail=detail)]
    happened += [Happening(kind=kind, message_id=each, detail=detail) for each in followed]
    events.append(session, happened, actor=actor, now=now)
    deed = "merged" if kind is TicketEventKind.CUSTOMER_MERGED else "unmerged"
    for one, other in ((done.kept_id, done.merged_id), (done.merged_id, done.kept_id)):
        detail = f"merge {done.id} with customer:{other}"
        audit.write(session, actor, deed, f"customer:{one}", detail, at=now)

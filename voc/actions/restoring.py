"""An older copy of the database was put back: nothing leaves until a person has looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from voc.journal import Head, Journal, message_digest
from voc.models import TicketEventKind
from voc.rules import merkle
from voc.store import events, restores
from voc.store.database import transaction
from voc.store.events import Happening
from voc.store.messages import SYSTEM

HANDED_OVER = "handed_over_before_restore"


def head_of(session: Session) -> Head:
    """The ledger's newest link as this transaction leaves it, for the journal."""
    head = events.lock_head(session)
    return Head(head.length, head.hash, merkle.root(head.frontier))


def is_restored(engine: Engine, journal: Journal, *, now: datetime) -> bool:
    """Whether this is an older copy that nobody has looked into; notices if it has become one.

    Then all that waited to leave is UNKNOWN: it may have left after the copy was made.
    """
    last = journal.last_head()  # before we look at the database: that only grows
    with transaction(engine) as session:
        if restores.restored_at(session) is not None:
            return True
        if last is None or restores.has_come_through(session, last):
            return False
        events.lock_head(session)
        if restores.restored_at(session) is None:
            restores.mark(session, now)
            restores.doubt_what_may_have_left(session, now=now)
            found = Happening(kind=TicketEventKind.RESTORED, detail=f"found:{last.length}")
            events.append(session, [found], actor=SYSTEM, now=now)
    return True


def forgotten(session: Session, journal: Journal) -> dict[str, str]:
    """By message the words of all that was handed over and that this database cannot know."""
    fork = restores.last_common(session, list(journal.heads()))
    return journal.lost() | journal.handed_over(beyond=fork)


def may_have_left(
    message_ids: Iterable[str], words_hash: str | None, lost: Mapping[str, str]
) -> bool:
    """Whether a message, or one to the same person with the same words, is among the *lost*.

    The ids alone would not do: what is collected again gets other numbers. Nor would the words:
    a message that is not written yet has none.
    """
    by_words = bool(words_hash) and words_hash in lost.values()
    return by_words or any(message_digest(each) in lost for each in message_ids)


def finish(session: Session, journal: Journal, *, actor: str, now: datetime) -> None:
    """Let messages leave again: a person has seen what the copy does not know."""
    events.lock_head(session)
    fork = restores.last_common(session, list(journal.heads()))
    restores.mark(session, None)
    restores.plan_what_the_restore_held(session, now=now)
    done = Happening(kind=TicketEventKind.RESTORED, detail="reconciled")
    events.append(session, [done], actor=actor, now=now)
    journal.restart(head_of(session), fork=fork, at=now)

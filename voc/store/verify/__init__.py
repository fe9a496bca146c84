"""The books: what must hold between the tables, whatever crashed. Each check names a row.

Every check is a query or one pass over a table that returns the first offender; together they
hold what `docs/books.md` promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from sqlmodel import Session

from voc.journal import Head
from voc.rules.books import Finding
from voc.store.verify.answers import (
    answers_follow_their_events,
    customers_decide_about_their_loops,
)
from voc.store.verify.chain import event_chain, nobody
from voc.store.verify.consents import (
    approved_messages_left_as_approved,
    nothing_left_after_an_opt_out,
)
from voc.store.verify.feedback import (
    feedback_is_in_one_state,
    statements_lie_in_their_verbatim,
    words_are_those_of_the_ledger,
)
from voc.store.verify.loops import (
    closed_loops_were_told,
    loops_follow_their_events,
    loops_have_what_they_need,
    told_loops_had_a_message,
)
from voc.store.verify.messages import messages_are_whole, messages_follow_their_events
from voc.store.verify.tickets import resolved_tickets_say_why, tickets_follow_their_events

__all__ = ["CHECKS", "event_chain", "verify"]

CHAIN = "event chain"
UNREADABLE = "holds a value that no version of voc writes"
CHECKS: Mapping[str, Callable[[Session], Finding | None]] = MappingProxyType(
    {
        check.__name__.replace("_", " "): check
        for check in (
            event_chain,
            tickets_follow_their_events,
            loops_follow_their_events,
            feedback_is_in_one_state,
            statements_lie_in_their_verbatim,
            words_are_those_of_the_ledger,
            loops_have_what_they_need,
            closed_loops_were_told,
            told_loops_had_a_message,
            resolved_tickets_say_why,
            messages_are_whole,
            messages_follow_their_events,
            nothing_left_after_an_opt_out,
            approved_messages_left_as_approved,
            answers_follow_their_events,
            customers_decide_about_their_loops,
        )
    }
)


def verify(
    session: Session,
    heads: Iterable[Head] = (),
    advance: Callable[[int], None] = nobody,
) -> dict[str, Finding | None]:
    """Make every check; by its name the first finding, or None.

    Args:
        heads: What was anchored of the ledger outside of the database.
        advance: Told how many more events of the ledger were read.
    """
    found = {name: _made(name, check, session) for name, check in CHECKS.items() if name != CHAIN}
    return {CHAIN: event_chain(session, heads, advance)} | found


def _made(
    name: str, check: Callable[[Session], Finding | None], session: Session
) -> Finding | None:
    try:
        return check(session)
    except (LookupError, TypeError, ValueError):  # its text may hold the value
        return Finding(name, "a row", UNREADABLE)

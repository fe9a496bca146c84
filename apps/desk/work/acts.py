"""What each deed of an owner does, with what their forms bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from sqlmodel import Session

from apps.desk.links.forms import read_reassign, read_resolve
from apps.desk.work.done import Deed
from voc.actions import ticket_undo, ticket_work, tickets
from voc.actions.ticket_merging import merge
from voc.company.model import Company
from voc.errors import VocError
from voc.rules.queue import SnoozeUntil

FIELDS: Mapping[Deed, str] = MappingProxyType(
    {
        Deed.ASSIGN: "owner",
        Deed.HAND_OVER: "department",
        Deed.COMMENT: "words",
        Deed.REMOVE_COMMENT: "words",
        Deed.SNOOZE: "day",
        Deed.MERGE: "into",
    }
)
"""Where it is said what is wrong with what was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the forms of a ticket bring."""

    seen: str = ""
    """The version of the ticket that they were shown with; of a comment the newest comment."""
    owner: str = ""
    department: str = ""
    words: str = field(default="", repr=False)
    comment: int = 0
    until: str = ""
    day: str = ""
    root_cause: str = field(default="", repr=False)
    action_taken: str = field(default="", repr=False)
    into: int = 0

    def detail(self, deed: Deed) -> str | None:
        """What the ledger says of a deed, as far as these forms choose it."""
        chosen = {
            Deed.ASSIGN: self.owner,
            Deed.HAND_OVER: self.department,
            Deed.SNOOZE: self.until,
            Deed.MERGE: f"into {self.into}",
        }
        return chosen.get(deed)

    def as_typed(self) -> dict[str, str]:
        """For the page that shows them again."""
        typed = {
            "words": self.words,
            "root_cause": self.root_cause,
            "action_taken": self.action_taken,
            "department": self.department,
        }
        return {name: text for name, text in typed.items() if text}


class UnusableError(VocError):
    """What was typed cannot be used; by field why."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody who is about to do something with a ticket."""

    session: Session
    company: Company
    ticket_id: int
    typed: Typed
    actor: str
    now: datetime


def _accept(it: Act) -> None:
    tickets.accept(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _release(it: Act) -> None:
    ticket_work.release(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _assign(it: Act) -> None:
    to, company = it.typed.owner, it.company
    ticket_work.assign(it.session, it.ticket_id, to, company, actor=it.actor, now=it.now)


def _hand_over(it: Act) -> None:
    form = read_reassign(it.typed.department, {d.id for d in it.company.departments})
    if form.errors:
        raise UnusableError(form.errors)
    to, company = form.department, it.company
    tickets.reassign(it.session, it.ticket_id, to, company, actor=it.actor, now=it.now)


def _undo(it: Act) -> None:
    ticket_undo.undo(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _comment(it: Act) -> None:
    ticket_work.comment(it.session, it.ticket_id, it.typed.words, actor=it.actor, now=it.now)


def _remove_comment(it: Act) -> None:
    which = it.typed.comment
    ticket_work.remove_comment(it.session, it.ticket_id, which, actor=it.actor, now=it.now)


def _snooze(it: Act) -> None:
    try:
        until = SnoozeUntil(it.typed.until)
        day = date.fromisoformat(it.typed.day) if until is SnoozeUntil.DATE else None
    except ValueError:
        raise UnusableError({"day": "Choose until when, and a day that there is."}) from None
    ticket_work.snooze(
        it.session, it.ticket_id, until, it.company, day=day, actor=it.actor, now=it.now
    )


def _wake(it: Act) -> None:
    ticket_work.wake(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _resolve(it: Act) -> None:
    form = read_resolve(it.typed.root_cause, it.typed.action_taken)
    if form.errors:
        raise UnusableError(form.errors)
    tickets.resolve(
        it.session,
        it.ticket_id,
        root_cause=form.root_cause,
        action_taken=form.action_taken,
        actor=it.actor,
        now=it.now,
    )


def _take_back(it: Act) -> None:
    ticket_undo.take_back(it.session, it.ticket_id, actor=it.actor, now=it.now)


def _merge(it: Act) -> None:
    merge(it.session, it.ticket_id, it.typed.into, actor=it.actor, now=it.now)


ACTS: Mapping[Deed, Callable[[Act], None]] = MappingProxyType(
    {
        Deed.ACCEPT: _accept,
        Deed.RELEASE: _release,
        Deed.ASSIGN: _assign,
        Deed.HAND_OVER: _hand_over,
        Deed.UNDO: _undo,
        Deed.COMMENT: _comment,
        Deed.REMOVE_COMMENT: _remove_comment,
        Deed.SNOOZE: _snooze,
        Deed.WAKE: _wake,
        Deed.RESOLVE: _resolve,
        Deed.TAKE_BACK: _take_back,
        Deed.MERGE: _merge,
    }
)

"""Which pages are visited, and by whom: as widely and as narrowly as each can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from apps.desk.areas import AREAS
from apps.desk.operations.piles import PILES
from benchmarks.desk.books import TOKENS
from voc.models import (
    Answer,
    Exposure,
    LinkPurpose,
    Message,
    MessageKind,
    MessageState,
    Role,
    Ticket,
    TicketState,
    Verdict,
)
from voc.store import verbatims

FILTERS = "?weeks=52&channel=survey&product=sofas"
LEAKS = ("open-now", "told-now", "untold-no_consent")
NUMBERS = ("overview", "trends", "themes", "leaks", "verbatims")


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    role: Role | None = None
    """None: nobody has signed in."""

    def __str__(self) -> str:
        return f"{self.path} ({self.role or 'anybody'})"


def pages(session: Session, department: str) -> list[Page]:
    """All of them; *department* is the owner's."""
    widest = [Page(area.path, _widest(area.roles)) for area in AREAS]
    narrowest = [Page(area.path, Role.OWNER) for area in AREAS if Role.OWNER in area.roles]
    return [*widest, *narrowest, *_single(session, department), *_lists(), *_links()]


def _widest(roles: frozenset[Role]) -> Role:
    return Role.OPERATIONS if Role.OPERATIONS in roles else Role.ADMINISTRATOR


def _single(session: Session, department: str) -> Iterator[Page]:
    """One thing of each kind, the newest."""
    mine = select(func.max(Ticket.id)).where(Ticket.department == department)
    newest = session.exec(mine.where(Ticket.state == TicketState.OPEN)).one()
    ticket = session.get_one(Ticket, newest)
    about = (f"/desk/tickets/{ticket.id}", f"/desk/customers/{ticket.customer_id}")
    yield from (Page(path, role) for path in about for role in (Role.OPERATIONS, Role.OWNER))
    yield Page(f"/desk/customers/{ticket.customer_id}/merge/1", Role.OPERATIONS)
    yield Page(f"/desk/huddle/{department}", Role.OWNER)
    to_customers = select(func.max(Message.id)).where(Message.kind == MessageKind.FOLLOW_UP)
    for state in (MessageState.SENT, MessageState.UNKNOWN):
        number = session.exec(to_customers.where(Message.state == state)).one()
        yield Page(f"/desk/messages/{number}", Role.OPERATIONS)
    customer = session.get_one(Message, number).customer_id
    yield Page(f"/desk/customers/{customer}/messages/{number}", Role.OPERATIONS)
    approving = to_customers.where(col(Message.needs_approval))
    yield Page(f"/desk/approvals/{session.exec(approving).one()}", Role.OPERATIONS)
    unclear = select(func.max(Answer.id)).where(Answer.verdict == Verdict.UNCLEAR)
    yield Page(f"/desk/replies/{session.exec(unclear).one()}", Role.OPERATIONS)
    experiment = session.exec(select(Exposure.experiment).limit(1)).one()
    yield Page(f"/desk/experiments/{experiment}", Role.OPERATIONS)
    yield Page("/desk/themes/1", Role.OPERATIONS)


def _lists() -> Iterator[Page]:
    """With each filter that changes what is asked of the database."""
    shown = [f"/desk/messages?show={pile.code}" for pile in PILES]
    said = [f"/desk/verbatims?of={group}" for group in verbatims.GROUPS]
    numbers = [f"/desk/{name}{FILTERS}" for name in NUMBERS]
    leaks = [f"/desk/leaks/{code}" for code in LEAKS]
    quarantine = ["/desk/quarantine", "/desk/quarantine?source=survey&reason=no+id"]
    for path in (*shown, *said, *numbers, *leaks, *quarantine):
        yield Page(path, Role.OPERATIONS)
    yield Page("/desk/audit?actor=owner1%40company.example", Role.ADMINISTRATOR)


def _links() -> Iterator[Page]:
    ways = {LinkPurpose.ANSWER: "a", LinkPurpose.UNSUBSCRIBE: "u", LinkPurpose.RESOLVE: "t"}
    return (Page(f"/{way}/{TOKENS[purpose]}") for purpose, way in ways.items())

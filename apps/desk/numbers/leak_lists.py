"""The items behind a number: tickets that are stuck, and loops by what became of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.numbers import leaks
from apps.desk.numbers.filters import DIMENSIONS, Filter, TheFilter, filter_of
from apps.desk.numbers.frame import department_name, frame, status_of
from apps.desk.numbers.reasons import STUCK_TICKETS, WAITING, Leak, loops_behind
from apps.desk.operations.paging import read_spot, written
from voc.models import LoopState, Ticket
from voc.store import leaks as stuck
from voc.store import loop_lists
from voc.store.database import reading
from voc.store.loop_lists import Listed, Which

router = APIRouter()
PAGE = 50
OF_FEEDBACK = tuple(name for name in DIMENSIONS if name != "department")


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Some of the items, and the word behind which the next ones begin; empty: nowhere."""

    leak: Leak
    tickets: Sequence[tuple[Ticket, str]] = ()
    loops: Listed = ()
    after: str
    filters: Sequence[str]
    """What the list can be filtered by. Nothing: not even by period."""


@router.api_route(leaks.HERE + "/{code}", methods=READ)
def show_leak(
    code: str,
    desk: TheDesk,
    asked: TheFilter,
    visitor: Visitor = see(WATCHERS),
    after: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """The items behind one leak, or behind another number of loops."""
    chosen = filter_of(asked, desk.company, visitor.now, *DIMENSIONS)
    with reading(desk.engine) as session:
        if code in STUCK_TICKETS:
            found = _tickets(desk, session, visitor, chosen, code, after=after)
        elif code in WAITING:
            found = _waiting(session, *WAITING[code], after=after)
        elif (behind := loops_behind(code)) is not None:
            found = _loops(session, chosen, *behind, after=after)
        else:
            raise Refusal(404, "not_here")
        path = f"{leaks.HERE}/{code}"
        facts = frame(desk, session, chosen, path=path, dimensions=found.filters)
    return desk.view(
        "numbers/leak.html",
        visitor,
        here=leaks.HERE,
        status=status_of(chosen),
        it=found,
        more=asked.query(after=found.after) if found.after else None,
        **facts,
    )


def _tickets(
    desk: Desk, session: Session, visitor: Visitor, chosen: Filter, code: str, *, after: str
) -> Items:
    department = chosen.value["department"]
    found = stuck.tickets(
        session, code, visitor.now, department=department, after=_number(after), limit=PAGE + 1
    )
    return Items(
        leak=STUCK_TICKETS[code],
        tickets=[(t, department_name(desk.company, t.department)) for t in found[:PAGE]],
        after=str(found[PAGE - 1].id) if len(found) > PAGE else "",
        filters=("department",),
    )


def _waiting(session: Session, leak: Leak, state: LoopState, *, after: str) -> Items:
    found = loop_lists.in_state(session, state, after=_number(after), limit=PAGE + 1)
    more = str(found[PAGE - 1][0].id) if len(found) > PAGE else ""
    return Items(leak=leak, loops=found[:PAGE], after=more, filters=())


def _loops(session: Session, chosen: Filter, leak: Leak, which: Which, *, after: str) -> Items:
    found = loop_lists.said_in(
        session, which, chosen.wanted, chosen.span, after=read_spot(after), limit=PAGE
    )
    more = written(found.after) if found.after else ""
    return Items(leak=leak, loops=found.loops, after=more, filters=OF_FEEDBACK)


def _number(after: str) -> int:
    return min(int(after), sys.maxsize) if after.isascii() and after.isdigit() else 0

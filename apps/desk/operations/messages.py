"""What leaves and what does not: the messages, those in doubt first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from apps.desk.access.gate import Visitor, see
from apps.desk.access.roles import WATCHERS
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.operations.paging import read_spot, written
from apps.desk.operations.piles import BY_CODE, PILES, Pile, Row, row_of
from voc.actions import kill_switch
from voc.models import Role
from voc.store import breakers, message_lists, restores
from voc.store.database import reading

router = APIRouter()
HERE = "/desk/messages"
PAGE = 50
FIRST = 10
"""Of each pile on the first page."""
MOST = 1000
"""As far as piles are counted."""
IN_FULL = ("unknown", "abandoned", "approval", "held", "dead", "left")
"""The piles whose first messages stand on the first page."""
DONE = {
    "switch_set": "The kill switch is on: nothing leaves.",
    "switch_lifted": "The kill switch is off: what it held leaves with the next run.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A pile with some of its messages."""

    pile: Pile
    rows: list[Row]
    more: str | None
    """Where the next ones are."""


@router.api_route(HERE, methods=READ)
def show_messages(
    desk: TheDesk,
    visitor: Visitor = see(WATCHERS),
    show: str = "",
    after: str = "",
    done: str = "",
) -> HTMLResponse:
    if show and show not in BY_CODE:
        raise Refusal(404, "not_here")
    with reading(desk.engine) as session:
        shown = (
            [_pile(session, BY_CODE[show], after, PAGE)]
            if show
            else [_pile(session, BY_CODE[code], "", FIRST) for code in IN_FULL]
        )
        return desk.view(
            "operations/messages.html",
            visitor,
            here=HERE,
            shown=shown,
            chosen=BY_CODE.get(show),
            counts=_counts(session),
            breakers=breakers.open_ones(session),
            done=DONE.get(done, ""),
            **standing(desk, visitor, session),
        )


def standing(desk: Desk, visitor: Visitor, session: Session) -> dict[str, Any]:
    """What stops everything, and whether the visitor may do anything about it."""
    return {
        "switch": kill_switch.said(desk.kill_switch),
        "restored_at": restores.restored_at(session),
        "may_act": visitor.role is Role.OPERATIONS,
    }


def _pile(session: Session, pile: Pile, after: str, limit: int) -> Shown:
    found = message_lists.page(
        session,
        pile.states,
        reasons=pile.reasons,
        of_work=pile.of_work,
        newest_first=pile.newest_first,
        after=read_spot(after),
        limit=limit + 1,
    )
    rows, rest = found[:limit], found[limit:]
    after = written(message_lists.spot_of(rows[-1])) if rest else ""
    more = f"{HERE}?show={pile.code}&after={after}" if rest else None
    return Shown(pile=pile, rows=[row_of(message) for message in rows], more=more)


def _counts(session: Session) -> list[tuple[Pile, str]]:
    """How many there are, or that there are more than anybody counts."""
    found = []
    for pile in PILES:
        n = message_lists.count(
            session, pile.states, reasons=pile.reasons, of_work=pile.of_work, most=MOST
        )
        found.append((pile, f"{n:,}" if n <= MOST else f"more than {MOST:,}"))
    return found

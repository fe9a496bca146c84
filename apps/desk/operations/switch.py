"""The kill switch: nothing leaves while it is on."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from apps.desk.access.gate import Visitor, do, see
from apps.desk.access.roles import OPERATIONS
from apps.desk.desk import Refusal, TheDesk
from apps.desk.links.customers import READ
from apps.desk.operations.messages import HERE
from voc.actions import kill_switch
from voc.store import audit
from voc.store.database import transaction

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One of the two things that can be done with it."""

    word: str
    button: str
    question: str
    means: str


TURNS = {
    "on": Turn(
        word="on",
        button="Stop everything",
        question="Stop everything that leaves?",
        means="From now on nothing is handed over to any provider: no follow-up, no alert. What is "
        "being handed over at this moment is not called back. Nothing is lost: what waits is held "
        "and leaves when the switch is off again.",
    ),
    "off": Turn(
        word="off",
        button="Let messages leave",
        question="Let messages leave again?",
        means="What the switch held leaves with the next run, if it is still wanted then.",
    ),
}


@router.api_route("/desk/kill-switch/{word}", methods=READ)
def ask(word: str, desk: TheDesk, visitor: Visitor = see(OPERATIONS)) -> HTMLResponse:
    """What it means, and whether they are sure."""
    return desk.view(
        "operations/ask.html",
        visitor,
        here=HERE,
        about="Kill switch",
        row=None,
        deed=_turn(word),
        back=HERE,
    )


@router.post("/desk/kill-switch/{word}")
def turn(word: str, desk: TheDesk, visitor: Visitor = do(OPERATIONS)) -> RedirectResponse:
    """The file comes first: what stops everything must not wait for the database."""
    if _turn(word).word == "on":
        kill_switch.throw(desk.kill_switch, actor=visitor.email, now=visitor.now)
        done = "switch_set"
    else:
        kill_switch.lift(desk.kill_switch)
        done = "switch_lifted"
    with transaction(desk.engine) as session:
        audit.write(session, visitor.email, done, "kill_switch", at=visitor.now)
    return RedirectResponse(f"{HERE}?done={done}", 303)


def _turn(word: str) -> Turn:
    if word not in TURNS:
        raise Refusal(404, "not_here")
    return TURNS[word]

"""How the rehearsal's owners work: a pure function of the seed and the ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from rehearsal.chance import chance
from voc.company.model import TRIAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    """What an owner sees of a ticket, by natural keys."""

    key: str
    """Source and external id of the feedback that opened it, and the department that did."""
    department: str
    hand: int
    round: int
    accepted: bool
    target: str | None
    """Where it belongs, by the truth; None if nobody has to act, or others do already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What an owner does next, and after how many business hours."""

    kind: str
    """accept, reassign or resolve."""
    after_hours: float
    department: str = ""
    root_cause: str = ""
    action_taken: str = ""


def next_move(ticket: TicketView, seed: int) -> Move:
    """Hand back what belongs elsewhere; accept, then resolve the rest. Some are slow."""
    rng = chance(seed, "owner", ticket.key, ticket.hand, ticket.round)
    wait = rng.choice([0.5, 1, 2, 3, 5, 8, 30])
    work = rng.choice([2, 4, 6, 9, 14, 22, 45])
    if ticket.round == 1 and ticket.target not in {None, ticket.department}:
        return Move(kind="reassign", after_hours=wait, department=ticket.target or "")
    if not ticket.accepted:
        return Move(kind="accept", after_hours=wait)
    cause, action = _resolution(ticket, rng)
    return Move(kind="resolve", after_hours=work, root_cause=cause, action_taken=action)


def targets(opened_for: Sequence[str], owed_to: Sequence[str]) -> list[str | None]:
    """Where each ticket of one piece of feedback belongs, in the order they were opened.

    Depends only on where they were opened and on the truth, never on what was handed over
    since: so it is the same whenever it is asked.
    """
    left = [department for department in owed_to if department not in opened_for]
    found: list[str | None] = []
    for department in opened_for:
        if department in owed_to or not left:
            found.append(department if department in owed_to else None)
        else:
            found.append(left.pop(0))
    return found


RESOLUTIONS = {
    "delivery": (
        (
            "The courier's round was overbooked that day.",
            "We arranged a new delivery with a two-hour window and took the fee off.",
        ),
        (
            "The parcel was scanned at the wrong depot.",
            "We found it, sent it out by express, and talked to the depot.",
        ),
        (
            "The driver did not follow the delivery note.",
            "We sent a replacement and had the carrier retrain the route.",
        ),
    ),
    "stores": (
        (
            "Too few people were planned for that shift.",
            "The shop now opens a second till from four waiting customers on.",
        ),
        (
            "A repair had been ordered but not followed up.",
            "The repair is done; the shop checks it every morning.",
        ),
        (
            "A new colleague did not know our returns rule.",
            "We went through the rule with the team, and the exchange is waiting for you.",
        ),
    ),
    "app": (
        ("A fault in version 6.2 of the app.", "It is corrected in version 6.3, which is out now."),
        (
            "A saved login was not renewed.",
            "We reset the sign-in on our side; please log in once more.",
        ),
        (
            "The search index missed some items.",
            "The index is rebuilt and now checked every night.",
        ),
    ),
    "payments": (
        (
            "The return was booked but the refund was not released.",
            "We released the refund; it is with your bank within two working days.",
        ),
        (
            "The amount was reserved twice.",
            "The second reservation is cancelled, and we checked that only one charge remains.",
        ),
        (
            "The points were moved to a second account.",
            "We joined the accounts; all points are back.",
        ),
    ),
    "products": (
        (
            "A weak seam in one production batch.",
            "We sent a replacement from a newer batch and took the rest off sale.",
        ),
        (
            "The size chart was wrong for this item.",
            "The chart is corrected, and the exchange costs you nothing.",
        ),
        (
            "A part was missing in the box.",
            "The part is in the post; packing now weighs every box.",
        ),
    ),
    "service": (
        (
            "A request was closed without an answer.",
            "A named colleague now looks after your case and has called you back.",
        ),
        (
            "Our phone line was understaffed after the sale.",
            "We added people at peak hours and shortened the menu.",
        ),
        (
            "Two agents gave different answers.",
            "We checked what is right, told both, and corrected our guide.",
        ),
    ),
    TRIAGE: (
        (
            "Nothing was broken; it was an idea worth hearing.",
            "We passed it to the people who plan for next season.",
        ),
        (
            "The remark concerned no single department.",
            "We discussed it in our weekly meeting and noted what we will try.",
        ),
    ),
}


def _resolution(ticket: TicketView, rng: Random) -> tuple[str, str]:
    return rng.choice(RESOLUTIONS[ticket.department])

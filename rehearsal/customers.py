"""How the rehearsal's customers react to a mail: a pure function of the seed and its key."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.chance import chance
from voc.models import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a customer does with a mail, and after how many hours."""

    after_hours: float
    verdict: Verdict | None = None
    """None: they read it and do nothing."""
    rating: int | None = None
    words: str = ""
    unsubscribes: bool = False


def react(template: str, message_key: str, round_asked: int, seed: int) -> Reaction:
    """About half answer; of those most call it solved, some do not, a few want no more mail."""
    rng = chance(seed, "customer", message_key)
    after = rng.choice([0.4, 2, 7, 20, 31, 55])
    draw = rng.random()
    if template in {"receipt", "thanks"}:
        return Reaction(after_hours=after, unsubscribes=draw < 0.03)  # noqa: PLR2004
    unsolved = 0.16 if round_asked == 1 else 0.08
    if draw < unsolved:
        words = rng.choice(UNHAPPY)
        return Reaction(
            after_hours=after, verdict=Verdict.NOT_SOLVED, rating=rng.choice([1, 2]), words=words
        )
    if draw < 0.56:  # noqa: PLR2004
        words = rng.choice(HAPPY)
        return Reaction(
            after_hours=after, verdict=Verdict.SOLVED, rating=rng.choice([3, 4, 5]), words=words
        )
    return Reaction(after_hours=after, unsubscribes=draw > 0.97)  # noqa: PLR2004


HAPPY = (
    "",
    "",
    "That was quick, thank you.",
    "All good now.",
    "Did not expect a reply. Well done.",
)
UNHAPPY = (
    "It is exactly as before.",
    "You say it is done, but nothing has changed here.",
    "Half of it is fixed. The other half is not. You can reach me at still.waiting@example.com",
)

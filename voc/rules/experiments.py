"""Who gets which variant of an experiment, and whether what is counted came about. Pure.

A draw needs no memory: it is a keyed hash of experiment and customer, the same at every call, in
every process and whatever else is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import log
from types import MappingProxyType

from voc.company.experiments import Experiment, Variant
from voc.models import Verdict
from voc.rules.tokens import digest

HOLD_OUT = "hold_out"
"""The arm of those who are not written to. No variant may have this name."""

LOWER_IS_BETTER = frozenset({"came_back"})
"""Outcomes that nobody wants: a customer with one more issue."""

COUNTED: Mapping[str, str] = MappingProxyType(
    {
        "answered": "customers who answered",
        "solved": "customers who said that it is solved",
        "came_back": "customers who came back with another issue (fewer are better)",
    }
)
"""Who is counted, by outcome, in words."""

OF_THE_ASKED = frozenset({"answered", "solved"})
"""Outcomes that only somebody can bring about who was written to."""

_STEPS = 2**53  # as many as a float tells apart between 0 and 1


def draw(secret: bytes, experiment: Experiment, customer_id: int) -> str:
    """The arm that this customer belongs to: a variant's id, or `HOLD_OUT`.

    Weighted rendezvous hashing: each variant throws its own dice for each customer, and the
    smallest ``-log(u) / share`` wins, which happens in proportion to the shares. A larger share
    only draws customers to its variant and moves nobody between the others; the order of the
    variants plays no part. The hold-out has dice of its own: growing it reshuffles no variant.
    """
    if _dice(secret, experiment.id, HOLD_OUT, customer_id) < experiment.hold_out:
        return HOLD_OUT

    def rank(variant: Variant) -> tuple[float, str]:
        dice = _dice(secret, experiment.id, f"variant {variant.id}", customer_id)
        return -log(dice) / variant.share, variant.id

    return min(experiment.variants, key=rank).id


def expected_shares(experiment: Experiment) -> dict[str, float]:
    """What share of the customers each arm is meant to get; together 1."""
    total = sum(variant.share for variant in experiment.variants)
    written = 1 - experiment.hold_out
    shares = {v.id: written * v.share / total for v in experiment.variants}
    return shares | ({HOLD_OUT: experiment.hold_out} if experiment.hold_out else {})


def is_running(experiment: Experiment, today: date) -> bool:
    """Whether *today* is one of its days, both ends included."""
    return experiment.begins <= today and (experiment.ends is None or today <= experiment.ends)


def varies(experiments: Iterable[Experiment], message: str, today: date) -> Experiment | None:
    """The running experiment with this kind of message. Of several the first one counts."""
    return next((e for e in experiments if e.message == message and is_running(e, today)), None)


def named(experiment: str, arm: str) -> str:
    """An arm as `Message.variant` holds it."""
    return f"{experiment}:{arm}"


def is_hold_out(name: str | None) -> bool:
    """Whether a `Message.variant` says that it is not sent."""
    return (name or "").partition(":")[2] == HOLD_OUT


def variant_of(experiments: Iterable[Experiment], name: str | None) -> Variant | None:
    """How a message with this `Message.variant` is to be written; None if in no special way.

    An arm that has left the company file since is written like any other message.
    """
    experiment_id, _, arm = (name or "").partition(":")
    variants = {v.id: v for e in experiments if e.id == experiment_id for v in e.variants}
    return variants.get(arm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One customer of an experiment, and what they said since."""

    arm: str
    at: datetime
    verdicts: tuple[tuple[datetime, Verdict], ...] = ()
    """Their answers about the loop that counted, the oldest first."""
    came_back_at: datetime | None = None
    """When they first told us of another issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The customers of one arm."""

    arm: str
    n: int = 0
    """Those whose days are over."""
    events: int = 0
    """Those of them for whom what is counted came about."""
    waiting: int = 0
    """Those whose days are not over yet: counted for nothing but how many were drawn."""


def arms(experiment: Experiment, drawn: Iterable[str]) -> list[str]:
    """In the order of the company file; the hold-out and arms that left the file behind."""
    return list(dict.fromkeys((*expected_shares(experiment), *sorted(set(drawn)))))


def tally(experiment: Experiment, exposed: Sequence[Exposed], now: datetime) -> list[Tally]:
    """Count every exposed customer for the arm that was drawn, whatever became of the message."""
    over = now - timedelta(days=experiment.within_days)
    tallies = []
    for arm in arms(experiment, (each.arm for each in exposed)):
        done = [each for each in exposed if each.arm == arm and each.at <= over]
        waiting = sum(each.arm == arm for each in exposed) - len(done)
        events = sum(_came_about(experiment, each) for each in done)
        tallies.append(Tally(arm=arm, n=len(done), events=events, waiting=waiting))
    return tallies


def _came_about(experiment: Experiment, exposed: Exposed) -> bool:
    """Whether the outcome happened within the days that the experiment waits."""
    last = exposed.at + timedelta(days=experiment.within_days)
    if experiment.outcome == "came_back":
        return exposed.came_back_at is not None and exposed.came_back_at <= last
    said = [verdict for at, verdict in exposed.verdicts if exposed.at <= at <= last]
    if experiment.outcome == "answered":
        return bool(said)
    return bool(said) and said[-1] is Verdict.SOLVED  # the newest holds


def _dice(secret: bytes, experiment: str, what: str, customer_id: int) -> float:
    """Between 0 and 1, and never either."""
    drawn = digest(secret, f"experiment {experiment}", f"{what}|{customer_id}")
    return ((int.from_bytes(drawn[:8]) >> 11) + 0.5) / _STEPS

"""Who was exposed to which arm of an experiment, and what they said since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from voc.models import Answer, ExperimentCount, Exposure, Feedback, Loop, LoopKind, Verdict
from voc.rules.experiments import Exposed, Tally
from voc.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A customer for whom a message of an experiment falls due, and the arm that was drawn."""

    customer_id: int
    loop_id: int
    arm: str


def expose(session: Session, experiment: str, drawn: Sequence[Drawn], *, now: datetime) -> None:
    """Write down who belongs to which arm. What was written first holds for ever."""
    rows = [
        {
            "experiment": experiment,
            "customer_id": each.customer_id,
            "variant": each.arm,
            "loop_id": each.loop_id,
            "at": now,
        }
        for each in drawn
    ]
    insert_new(session, Exposure, rows)


def arms_of(session: Session, experiment: str, customer_ids: Collection[int]) -> dict[int, str]:
    """By customer the arm that is written down; those who have none are left out."""
    query = select(Exposure.customer_id, Exposure.variant).where(
        Exposure.experiment == experiment, col(Exposure.customer_id).in_(sorted(customer_ids))
    )
    return dict(session.exec(query).all()) if customer_ids else {}


def drawn_so_far(session: Session) -> dict[str, dict[str, int]]:
    """By experiment and arm the number of customers."""
    query = select(Exposure.experiment, Exposure.variant, func.count()).group_by(
        col(Exposure.experiment), col(Exposure.variant)
    )
    found: dict[str, dict[str, int]] = {}
    for experiment, arm, n in session.exec(query):
        found.setdefault(experiment, {})[arm] = n
    return found


def exposed(session: Session, experiment: str, *, now: datetime) -> list[Exposed]:
    """Everybody who was exposed, with what they said until *now*: three queries."""
    rows = session.exec(
        select(Exposure.customer_id, Exposure.loop_id, Exposure.variant, Exposure.at)
        .where(Exposure.experiment == experiment, col(Exposure.at) <= now)
        .order_by(col(Exposure.at), col(Exposure.customer_id))
    ).all()
    verdicts = _verdicts(session, experiment, now)
    back = _came_back(session, experiment, now)
    return [
        Exposed(
            arm=arm,
            at=at,
            verdicts=tuple(verdicts.get(loop_id, ())),
            came_back_at=back.get(customer_id),
        )
        for customer_id, loop_id, arm, at in rows
    ]


def _verdicts(
    session: Session, experiment: str, now: datetime
) -> dict[int, list[tuple[datetime, Verdict]]]:
    """By loop what its customer answered, the oldest first."""
    rows = session.exec(
        select(Answer.loop_id, Answer.at, Answer.verdict)
        .join(Exposure, col(Exposure.loop_id) == Answer.loop_id)
        .where(Exposure.experiment == experiment, col(Answer.at) <= now)
        .order_by(col(Answer.at), col(Answer.id))
    )
    found: dict[int, list[tuple[datetime, Verdict]]] = {}
    for loop_id, at, verdict in rows:
        found.setdefault(loop_id, []).append((at, Verdict(verdict)))
    return found


def _came_back(session: Session, experiment: str, now: datetime) -> dict[int, datetime]:
    """By customer when they first said something, after their exposure, that became an issue."""
    rows = session.exec(
        select(Exposure.customer_id, func.min(Feedback.said_at))
        .join(Loop, col(Loop.customer_id) == Exposure.customer_id)
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .where(
            Exposure.experiment == experiment,
            Loop.kind == LoopKind.ISSUE,
            col(Feedback.said_at) > Exposure.at,
            col(Feedback.said_at) <= now,
        )
        .group_by(col(Exposure.customer_id))
    )
    return dict(rows.all())


def keep_counts(
    session: Session, experiment: str, tallies: Sequence[Tally], *, now: datetime
) -> None:
    """Write down what was counted, instead of what was counted before."""
    session.execute(delete(ExperimentCount).where(col(ExperimentCount.experiment) == experiment))
    session.add_all(
        ExperimentCount(
            experiment=experiment,
            arm=each.arm,
            n=each.n,
            events=each.events,
            waiting=each.waiting,
            counted_at=now,
        )
        for each in tallies
    )


def counts(session: Session, experiment: str) -> Sequence[ExperimentCount]:
    """What was counted last; nothing if that was never."""
    return session.exec(
        select(ExperimentCount).where(ExperimentCount.experiment == experiment)
    ).all()

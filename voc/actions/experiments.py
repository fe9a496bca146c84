"""Experiments at work: who gets what is written down before anything leaves; what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from voc.company.experiments import Experiment
from voc.company.model import Company
from voc.errors import NotFoundError
from voc.models import Message
from voc.rules import experiments as rules
from voc.rules.comparing import MISMATCH_BELOW, Compared, compare, sample_ratio
from voc.rules.experiments import Tally
from voc.rules.quiet_hours import zone
from voc.store import experiments as store
from voc.store.database import reading, transaction
from voc.store.events import lock_head
from voc.store.experiments import Drawn


def expose(
    session: Session, due: Sequence[Message], company: Company, *, secret: bytes, now: datetime
) -> None:
    """Draw an arm for each message of a running experiment, and write both down.

    For the hold-out, too: whoever is not written to counts like everyone else. The arm that was
    written down first holds, whatever the company file says since.
    """
    today = day_of(company, now)
    for kind in sorted({message.template for message in due}):
        experiment = rules.varies(company.experiments, kind, today)
        if experiment is not None:
            of_kind = [message for message in due if message.template == kind]
            _expose(session, experiment, of_kind, secret=secret, now=now)


def _expose(
    session: Session,
    experiment: Experiment,
    due: Sequence[Message],
    *,
    secret: bytes,
    now: datetime,
) -> None:
    lock_head(session)  # before any row that the exposures point to
    drawn = [
        Drawn(
            customer_id=message.customer_id,
            loop_id=message.loop_id,
            arm=rules.draw(secret, experiment, message.customer_id),
        )
        for message in due
        if message.customer_id is not None and message.loop_id is not None
    ]
    store.expose(session, experiment.id, drawn, now=now)
    arms = store.arms_of(session, experiment.id, {each.customer_id for each in drawn})
    for message in due:
        if (arm := arms.get(message.customer_id or 0)) is not None:
            message.variant = rules.named(experiment.id, arm)
            session.add(message)


def arm_for(
    session: Session, kind: str, customer_id: int, company: Company, *, secret: bytes, now: datetime
) -> str | None:
    """The arm in which a customer would get this kind of message today, as `Message.variant`.

    What is written down, else what would be drawn. None: no experiment varies it. Writes nothing.
    """
    experiment = rules.varies(company.experiments, kind, day_of(company, now))
    if experiment is None:
        return None
    known = store.arms_of(session, experiment.id, {customer_id})
    drawn = rules.draw(secret, experiment, customer_id)
    return rules.named(experiment.id, known.get(customer_id, drawn))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an experiment shows by now."""

    experiment: Experiment
    running: bool
    counted_at: datetime | None
    """None: not once."""
    arms: tuple[Compared, ...]
    fair: float | None
    """How likely the draw's unevenness is by chance; None: nothing to test yet."""

    @property
    def mismatch(self) -> bool:
        """Whether customers went missing in one arm: then no figure here can be trusted."""
        return self.fair is not None and self.fair < MISMATCH_BELOW


def report(session: Session, company: Company, experiment_id: str, *, now: datetime) -> Report:
    """Compare the arms of one experiment.

    Raises:
        NotFoundError: The company file has no such experiment.
    """
    experiment = _named(company, experiment_id)
    tallies = rules.tally(experiment, store.exposed(session, experiment.id, now=now), now)
    return _compared(company, experiment, tallies, counted_at=now, now=now)


def last_report(session: Session, company: Company, experiment_id: str, *, now: datetime) -> Report:
    """The same as it was counted last: it costs the same however many customers were drawn.

    Raises:
        NotFoundError: The company file has no such experiment.
    """
    experiment = _named(company, experiment_id)
    rows = store.counts(session, experiment.id)
    counted = {
        row.arm: Tally(arm=row.arm, n=row.n, events=row.events, waiting=row.waiting) for row in rows
    }
    tallies = [counted.get(arm, Tally(arm=arm)) for arm in rules.arms(experiment, counted)]
    counted_at = max((row.counted_at for row in rows), default=None)
    return _compared(company, experiment, tallies, counted_at=counted_at, now=now)


def count(engine: Engine, company: Company, *, now: datetime) -> None:
    """Count what each experiment shows by now, for `last_report`. Reading waits for no writer."""
    for experiment in company.experiments:
        with reading(engine) as session:
            tallies = rules.tally(experiment, store.exposed(session, experiment.id, now=now), now)
        with transaction(engine) as session:
            store.keep_counts(session, experiment.id, tallies, now=now)


def _named(company: Company, experiment_id: str) -> Experiment:
    known = {experiment.id: experiment for experiment in company.experiments}
    if (experiment := known.get(experiment_id)) is None:
        names = ", ".join(known) or "none"
        raise NotFoundError(
            f"no experiment {experiment_id!r} in the company file; there is: {names}"
        )
    return experiment


def _compared(
    company: Company,
    experiment: Experiment,
    tallies: Sequence[Tally],
    *,
    counted_at: datetime | None,
    now: datetime,
) -> Report:
    lower_is_better = experiment.outcome in rules.LOWER_IS_BETTER
    apart = {rules.HOLD_OUT} if experiment.outcome in rules.OF_THE_ASKED else set()
    return Report(
        experiment=experiment,
        running=rules.is_running(experiment, day_of(company, now)),
        counted_at=counted_at,
        arms=tuple(compare(tallies, lower_is_better=lower_is_better, apart=apart)),
        fair=sample_ratio(
            {each.arm: each.n + each.waiting for each in tallies},
            rules.expected_shares(experiment),
        ),
    )


def day_of(company: Company, now: datetime) -> date:
    """The day it is for the company: experiments begin and end on its calendar."""
    return now.astimezone(zone(company.company.timezone)).date()

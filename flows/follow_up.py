"""Follow up: render and deliver what we owe, escalate what is late."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.follow_up import deliver, plan_due, recover_messages, render_planned
from tasks.ledger import anchor_ledger
from tasks.workplace import workplace
from voc.params import FollowUpParams


@flow(name="follow-up")
def follow_up(
    params: FollowUpParams = FollowUpParams(), now: datetime | None = None
) -> dict[str, int]:
    """Plan reminders and escalations, render what is owed, and hand it over, each once.

    Args:
        params: How much may leave.
        now: Leave empty: it is for rehearsals.
    """
    moment = now or workplace().clock()
    recovered = recover_messages(moment)
    planned = plan_due(moment)
    rendered = render_planned(moment)
    delivered = deliver(params.limit, now)  # on a clock that goes on, unless this is a rehearsal
    anchor_ledger(moment)
    return recovered | planned | rendered | delivered

"""When a late ticket rises to the next level."""

from __future__ import annotations

from datetime import datetime

from voc.company.model import Department
from voc.models import Ticket
from voc.rules.business_time import add_business_hours


def next_escalation(ticket: Ticket, department: Department) -> datetime:
    """When the ticket rises: at its first broken promise, then after a while for each level.

    A ticket that nobody took breaks the promise of a first response; one that was taken can
    only break that of a resolution.
    """
    promises = [ticket.resolution_due_at]
    if ticket.accepted_at is None:
        promises.append(ticket.first_response_due_at)
    wait = department.sla.escalate_after_hours * ticket.level
    return add_business_hours(min(promises), wait, department.business_hours)

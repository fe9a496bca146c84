"""Between two runs of the main job, owners and customers do what they do.

Owners use the same actions as the pages and the command line; customers open the links in
their mailbox through the web app. What they do is found by state and decided by the seed, so
a rehearsal that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import heapq
from datetime import datetime

from rehearsal.company_files import Truth
from rehearsal.customer_deeds import CustomerDeeds
from rehearsal.owner_deeds import OwnerDeeds
from tasks.workplace import Workplace


def act(place: Workplace, truth: Truth, seed: int, since: datetime, until: datetime) -> int:
    """Let everybody act from *since* until before *until*, in the order of time."""
    owners = OwnerDeeds(place, truth, seed, since)
    customers = CustomerDeeds(place, seed, since)
    deeds = [*owners.all(), *customers.all()]
    heapq.heapify(deeds)
    done = 0
    while deeds and deeds[0].at < until:
        for following in heapq.heappop(deeds).do():
            heapq.heappush(deeds, following)
        done += 1
    return done

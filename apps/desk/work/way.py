"""The way from a queue, as it was filtered, to a ticket and back. It stands in the address."""

from __future__ import annotations

import re
from urllib.parse import urlencode

QUEUE = "/desk/queue"
_QUEUE = re.compile(r"/desk/queue(\?[\w.~=&%+-]{1,300})?", re.ASCII)


def queue_of(address: str) -> str:
    """*address* if it is one of a queue, else the whole queue's."""
    return address if _QUEUE.fullmatch(address) else QUEUE


def queue_with(queue: str, **given: object) -> str:
    """A queue that says something at its top."""
    return f"{queue}{'&' if '?' in queue else '?'}{urlencode(given)}"


def ticket_from(queue: str, ticket_id: int, **given: object) -> str:
    """A ticket's page, from which it goes back to *queue*."""
    known = given | ({"from": queue} if queue != QUEUE else {})
    return f"/desk/tickets/{ticket_id}{'?' if known else ''}{urlencode(known)}"

"""The outbox, whole: what tasks and commands call.

A sender does, in this order, and as often as it likes::

    with SenderLock(settings.locks, sender_id := new_sender_id()):
        recover(...)  # what dead senders left behind
        queue_planned(...)  # PLANNED to QUEUED: words and bytes are frozen
        deliver_due(...)  # QUEUED to SENT, or to the reason why not

At most one mail for each message is ever handed to a provider. A reply that was lost is UNKNOWN
and for a person to decide; it is never tried again by itself.
"""

from notifications.allowlist import close_all, open_channels
from notifications.delivery import OnSent, deliver_due, nothing_more
from notifications.queueing import queue_planned
from notifications.recovery import recover
from notifications.senders import SenderLock, is_dead, new_sender_id

__all__ = [
    "OnSent",
    "SenderLock",
    "close_all",
    "deliver_due",
    "is_dead",
    "new_sender_id",
    "nothing_more",
    "open_channels",
    "queue_planned",
    "recover",
]

"""What the processes of a storm share: a clock, and where each sender is at this moment."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime
from enum import IntEnum

CLOCK, STOP, SLOTS, SLOT = 0, 8, 64, 256
"""Where things lie in the memory."""


class Point(IntEnum):
    """What a sender is at. It is written down before the work begins."""

    STARTING = 0
    RECOVERING = 1
    CLAIMING = 2
    PREPARING = 3
    """It has claimed a message, and talks to the server: nothing has been handed over."""
    LAST_LOOK = 4
    """The server accepted sender and recipient; SENDING is about to be committed."""
    HANDING_OVER = 5
    SETTLING = 6
    """It has the reply, and writes it down."""
    IDLE = 7


IN_SENDING = frozenset({Point.LAST_LOOK, Point.HANDING_OVER, Point.SETTLING})
"""Where a death may leave a message that nobody can know of."""


WITH_A_MESSAGE = IN_SENDING | {Point.PREPARING}


class Board:
    """Memory that survives whoever writes to it."""

    def __init__(self, slots: int) -> None:
        self._memory = mmap.mmap(-1, SLOTS + slots * SLOT)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(struct.unpack_from("d", self._memory, CLOCK)[0], UTC)

    @now.setter
    def now(self, moment: datetime) -> None:
        struct.pack_into("d", self._memory, CLOCK, moment.timestamp())

    @property
    def is_over(self) -> bool:
        return bool(self._memory[STOP])

    def end(self) -> None:
        self._memory[STOP] = 1

    def write(self, slot: int, point: Point, message_id: str | None = None) -> None:
        """*message_id* stays as it was if it is None."""
        begin = SLOTS + slot * SLOT
        if message_id is not None:
            text = message_id.encode()[: SLOT - 1].ljust(SLOT - 1, b"\0")
            self._memory[begin + 1 : begin + SLOT] = text
        self._memory[begin] = point

    def read(self, slot: int) -> tuple[Point, str]:
        """Where the sender of this slot is, or was when it died; and the message it had."""
        begin = SLOTS + slot * SLOT
        told = self._memory[begin + 1 : begin + SLOT].rstrip(b"\0").decode()
        return Point(self._memory[begin]), told

"""Other programs that want to know what happens, as the company file names them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from voc.company.hours import Frozen
from voc.rules.cloud_events import EventType

WEBHOOK_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


class Webhook(Frozen):
    """A program that is told of events.

    Its address and its secret are the machine's: VOC_WEBHOOKS__NAME__URL and
    VOC_WEBHOOKS__NAME__SECRET.
    """

    name: Annotated[str, Field(pattern=WEBHOOK_NAME, max_length=40)] = Field(
        description="Small letters, digits and single _. Never change it."
    )
    events: tuple[EventType, ...] = Field(
        min_length=1, description="What it is told of, such as ticket.opened and loop.closed."
    )

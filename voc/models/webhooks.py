"""Other programs that are told of what happens."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime


class WebhookCursor(SQLModel, table=True):
    """How far into the ledger a webhook's messages are planned. Written with what it plans."""

    webhook: str = Field(primary_key=True, max_length=40, description="As the company file names.")
    event_id: int = Field(description="Of the newest event that was looked at.")
    moved_at: datetime = Field(sa_type=UtcDateTime)

"""The stored clock of a company that is only played."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime


class RehearsalClock(SQLModel, table=True):
    """What time it is in the rehearsal: one row. It stands still between runs and at the end."""

    id: int = Field(default=1, primary_key=True)
    moment: int = Field(description="How many mornings are over.")
    now: datetime = Field(sa_type=UtcDateTime)
    finished: bool = False

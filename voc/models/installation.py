"""What ties a database to its home folder."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime


class Installation(SQLModel, table=True):
    """Which secret this database was made with: one row. Under another one opt-outs are lost."""

    id: int = Field(default=1, primary_key=True)
    secret_digest: str = Field(max_length=64)
    restored_at: datetime | None = Field(
        default=None,
        sa_type=UtcDateTime,
        description="Since when nothing leaves: this is an older copy, and nobody has looked yet.",
    )

"""What ties a database to its home folder."""

from sqlmodel import Field, SQLModel


class Installation(SQLModel, table=True):
    """Which secret this database was made with: one row. Under another one opt-outs are lost."""

    id: int = Field(default=1, primary_key=True)
    secret_digest: str = Field(max_length=64)

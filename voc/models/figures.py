"""What was counted by week, so that pages need not count it again."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from voc.columns import UtcDateTime


class WeekFigures(SQLModel, table=True):
    """What was said in one ISO week, counted, and what became of it: one row a cell.

    A cell is one value of each dimension; `voc.rules.weeks.ANY` stands for all of them. Kept are
    the finest cells, and those with at most two values given.
    """

    week: str = Field(primary_key=True, max_length=8, description="2026-W01, in the company's zone")
    channel: str = Field(primary_key=True, max_length=64)
    touchpoint: str = Field(primary_key=True, max_length=64, description="Empty: not known.")
    product: str = Field(primary_key=True, max_length=64)
    segment: str = Field(primary_key=True, max_length=64, description="Of the customer, now.")
    counts: dict[str, int] = Field(
        default_factory=dict,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="By name, those above 0; see voc.rules.weeks.",
    )
    themes: dict[str, int] = Field(
        default_factory=dict,
        sa_column=sa.Column(sa.JSON, nullable=False),
        description="Statements by theme, and negative ones.",
    )


class DepartmentFigures(SQLModel, table=True):
    """The tickets that were opened in one ISO week, by the department that has them now."""

    week: str = Field(primary_key=True, max_length=8)
    department: str = Field(primary_key=True, max_length=64)
    counts: dict[str, int] = Field(
        default_factory=dict, sa_column=sa.Column(sa.JSON, nullable=False)
    )


class ExperimentCount(SQLModel, table=True):
    """What an experiment showed when it was counted last, by arm."""

    experiment: str = Field(primary_key=True, max_length=64)
    arm: str = Field(primary_key=True, max_length=64)
    n: int = Field(description="Customers whose days were over.")
    events: int = Field(description="Those of them for whom what is counted came about.")
    waiting: int = Field(description="Customers whose days were not over.")
    counted_at: datetime = Field(sa_type=UtcDateTime)


class TouchedDay(SQLModel, table=True):
    """A day whose feedback has changed since its week was counted. Only ever added and removed."""

    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(description="In UTC, of the moment at which it was said.")


class FiguresState(SQLModel, table=True):
    """How far the figures go, and who may go on: one row."""

    id: int = Field(default=1, primary_key=True)
    turn: int = Field(default=0, description="Grows with each count: only the newest writes.")
    timezone: str = Field(max_length=64, description="Whose weeks they are.")
    counted_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="None: not once to the end."
    )
    events: int = Field(default=0, description="The newest event of the ledger that is in them.")

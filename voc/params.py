"""Parameters of the flows. The Prefect UI shows them as forms; never anything of a customer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CollectParams(Params):
    """Which sources to ask."""

    sources: list[str] = Field(
        default=[],
        title="Sources",
        description="Ids from the company file. Leave empty to ask all of them.",
    )


class ChunkParams(Params):
    """How work is cut."""

    chunk: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        title="Pieces a task",
        description="How many pieces of feedback one task takes. Leave empty for the default.",
    )


class FollowUpParams(Params):
    """How much may leave in this run."""

    limit: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        title="Messages at most",
        description="How many messages this run may hand over. The rest waits for the next run.",
    )


class MeasureParams(Params):
    """Which time the report covers."""

    since_days: int | None = Field(
        default=None,
        ge=1,
        title="Days back",
        description="Only feedback of the last so many days. Leave empty for all of it.",
    )


class LoopParams(Params):
    """The main job: every stage, in order."""

    collect: CollectParams = Field(default=CollectParams(), title="Collect")
    follow_up: FollowUpParams = Field(default=FollowUpParams(), title="Follow up")
    measure: bool = Field(
        default=True, title="Measure", description="Write the report when anything has changed."
    )

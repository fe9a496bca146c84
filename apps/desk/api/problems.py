"""What went wrong, as RFC 9457 has it: for every answer of the API that is no success."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from voc.errors import ConfigurationError, IllegalTransitionError, NotFoundError, VocError
from voc.store.database import is_busy

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/v1/docs#problem-"
"""Where a problem's type is explained. The same on every installation."""
MOST_MISTAKES = 20
RETRY_AFTER_S = 10
"""When to come back if the database was busy for longer than we wait."""

KINDS: Mapping[int, tuple[str, str, str]] = {
    400: ("unreadable", "Unreadable", "The request cannot be read."),
    401: (
        "no-token",
        "No valid token or signature",
        "Send `Authorization: Bearer voc_...`; what is pushed has to be signed. See the docs.",
    ),
    403: ("not-allowed", "Not allowed", "The token lacks the scope of this operation."),
    404: ("not-found", "Not found", "There is nothing with this address or number."),
    405: ("wrong-method", "Wrong method", "`Allow` says which methods there are."),
    409: ("not-now", "Not possible now", "What is so now does not allow it."),
    412: ("changed", "Changed meanwhile", "The version in `If-Match` is no longer the newest."),
    413: ("too-long", "Too long", "A request may have 64 KiB, and what is pushed 1 MiB."),
    422: ("invalid", "Invalid", "It cannot be used. `errors`, if there are any, says why."),
    428: ("no-version", "Version missing", "Send the ticket's version as `If-Match`."),
    429: ("too-many", "Too many requests", "Come back after the seconds in `Retry-After`."),
    500: ("broken", "Broken", "It is our mistake. Nothing was changed."),
    503: ("busy", "Busy", "Nothing was changed. Come back after the seconds in `Retry-After`."),
}
"""By status what its type is called, its title, and what it means."""


class Mistake(BaseModel):
    """One value that is wrong. What was sent is not repeated."""

    where: str = Field(examples=["body.root_cause"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """An answer that is no success (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": f"{TYPES}not-found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "there is no ticket 4711",
                }
            ]
        }
    )

    type: str = Field(description="What went wrong; stable. Relative to this server.")
    title: str
    status: int
    detail: str
    errors: list[Mistake] | None = Field(default=None, description="With 422 only.")
    ticket: dict[str, Any] | None = Field(
        default=None, description="With 412 only: the ticket as it is now."
    )


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members


def unusable(where: str, message: str) -> ProblemError:
    """What ends a request with one wrong value."""
    return ProblemError(422, errors=[Mistake(where=where, message=message)])


def problem(
    status: int, detail: str = "", *, headers: Mapping[str, str] | None = None, **members: Any
) -> JSONResponse:
    """The answer for a status."""
    fallback = ("other", HTTPStatus(status).phrase, HTTPStatus(status).phrase)
    slug, title, meaning = KINDS.get(status, fallback)
    said = Problem(
        type=f"{TYPES}{slug}", title=title, status=status, detail=detail or meaning, **members
    )
    return JSONResponse(
        said.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation can answer with, for its documentation."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": f"{KINDS[status][1]}. {KINDS[status][2]}", "content": content}
        for status in sorted({401, 403, 422, 429, 500, 503, *statuses})
    }
    wait = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return told | {status: told[status] | {"headers": wait} for status in (429, 503)}


async def on_problem(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, ProblemError)  # noqa: S101  (registered for it)
    answer = problem(exc.status, exc.detail, headers=exc.headers, **exc.members)
    # It may show a ticket, which is to be noted.
    answer.background = BackgroundTask(request.app.state.desk.afterwards.do)
    return answer


async def on_http_error(_request: Request, exc: Exception) -> JSONResponse:
    """What the framework itself answers: no such address, no such method."""
    assert isinstance(exc, HTTPException)  # noqa: S101
    return problem(exc.status_code, headers=exc.headers)


async def on_invalid(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # noqa: S101
    errors = [
        Mistake(where=_where(error)[:100], message=str(error["msg"])[:200])
        for error in exc.errors()[:MOST_MISTAKES]
    ]
    return problem(422, errors=errors)


def _where(error: Mapping[str, Any]) -> str:
    """The name of what is wrong. One that we do not know is what somebody sent: where it stands."""
    known = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(map(str, known))


async def on_refused(_request: Request, exc: Exception) -> JSONResponse:
    """What the domain says no to, in its own words: they hold nobody's words or address."""
    if isinstance(exc, NotFoundError):
        return problem(404, str(exc))
    if isinstance(exc, ConfigurationError):
        return problem(422, str(exc))
    if isinstance(exc, VocError | IllegalTransitionError):
        return problem(409, str(exc))
    return problem(500)


async def on_database_error(_request: Request, exc: Exception) -> JSONResponse:
    """Somebody else writes for longer than we wait: that passes. Anything else is a crash."""
    if not is_busy(exc):
        raise exc
    return problem(503, headers={"Retry-After": str(RETRY_AFTER_S)})


async def on_crash(_request: Request, _exc: Exception) -> JSONResponse:
    """Starlette raises it again afterwards, for the server's log."""
    return problem(500)

"""The API as an app of its own: its errors are problems, and its documentation is its own, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from apps.desk.api import deeds, numbers, problems, reading, tickets
from apps.desk.api.docs import docs_page
from apps.desk.api.shapes import CloudEvent
from apps.desk.api.tokens import BURST, PER_SECOND
from apps.desk.desk import Desk
from apps.desk.guards import DESK_HEADERS, RateLimit
from voc.errors import VocError
from voc.rules.cloud_events import MEDIA_TYPE
from voc.store.ledger import Ledger

PREFIX = "/api/v1"
SIGNED_WITH = {
    "webhook-id": "The same at every attempt: what you know already is done.",
    "webhook-timestamp": "When this attempt was signed, in Unix seconds.",
    "webhook-signature": "As Standard Webhooks has it, over id, timestamp and raw body.",
}
"""The headers of what we tell."""
DESCRIPTION = """
Tickets, feedback and loops for other programs. Whoever asks sends `Authorization: Bearer voc_...`;
an administrator makes tokens in the desk, each with scopes. Lists are pages in the order of
numbers: ask with `after` = `next` until `next` is null. Whoever changes a ticket says which version
of it they saw (`If-Match`): a repeated request then answers 412 with the ticket as it is now, and
nothing is done twice. Everything that is no success is a problem (RFC 9457).
"""


def create_api(desk: Desk, *, ticks: Callable[[], float]) -> FastAPI:
    """The API of one desk, to be mounted at `PREFIX`."""
    api = FastAPI(
        title=f"{desk.company.company.name}: vocloop",
        version="1",
        description=DESCRIPTION.strip(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "logs": False, "metrics": False, "auto_configure": False},
    )
    api.state.desk = desk
    api.state.ledger = Ledger()
    api.state.calls = RateLimit(burst=BURST, per_second=PER_SECOND, ticks=ticks)
    api.include_router(tickets.router)
    api.include_router(deeds.router)
    api.include_router(reading.router)
    api.include_router(numbers.router)
    api.webhooks.add_api_route(
        "event",
        told,
        methods=["POST"],
        summary="What your program is told",
        description="Answer 2xx once it is stored; `webhook-id` tells repeats. See docs/api.md.",
        openapi_extra={
            "parameters": [
                {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
                | {"description": about}
                for name, about in SIGNED_WITH.items()
            ],
            "requestBody": {
                "required": True,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/CloudEvent"}}},
            },
        },
        status_code=204,
    )
    document = cache(lambda: described(api))  # when it is asked for: a start is not to wait
    page = cache(lambda: docs_page(desk, document()))
    api.add_route("/openapi.json", lambda _: JSONResponse(document()))
    api.add_route("/docs", lambda _: HTMLResponse(page(), headers=dict(DESK_HEADERS)))
    api.add_exception_handler(problems.ProblemError, problems.on_problem)
    api.add_exception_handler(VocError, problems.on_refused)
    api.add_exception_handler(HTTPException, problems.on_http_error)
    api.add_exception_handler(RequestValidationError, problems.on_invalid)
    api.add_exception_handler(OperationalError, problems.on_database_error)
    api.add_exception_handler(PoolTimeoutError, problems.on_database_error)
    api.add_exception_handler(Exception, problems.on_crash)
    return api


def told() -> None:
    """What we send, not what we take: it only stands in the document."""


def described(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. Problems are no model of any route, so they are added here."""
    document = get_openapi(
        title=api.title,
        version=api.version,
        description=api.description,
        routes=api.routes,
        webhooks=api.webhooks.routes,
        servers=[{"url": PREFIX}],
    )
    schemas = document["components"]["schemas"]
    for model in (problems.Problem, CloudEvent):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document

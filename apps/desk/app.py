"""The web app: what is asked of it, from whom, and what everyone else gets to see."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from apps.desk import assets
from apps.desk import hooks as hooks_in
from apps.desk.access import (
    accounts,
    audit_log,
    elsewhere,
    me,
    notices,
    password_link,
    sign_in,
    tokens,
)
from apps.desk.access.audit import Afterwards
from apps.desk.access.door import Door
from apps.desk.access.gate import SignInFirst
from apps.desk.access.provider import Provider
from apps.desk.api import app as api
from apps.desk.api.problems import RETRY_AFTER_S, problem
from apps.desk.desk import Desk, Refusal, TheDesk
from apps.desk.guards import BodyLimit, RateLimit, SecurityHeaders, WithoutNul
from apps.desk.hooks_feedback import warn_of_refusal
from apps.desk.links import approvals, brand, customers, judging, owners
from apps.desk.numbers import router as numbers
from apps.desk.operations import router as operations
from apps.desk.profile import router as profile
from apps.desk.signatures import HookSecrets
from apps.desk.work import router as work
from voc.company.model import Company
from voc.store.database import is_busy, reading

NOT_LISTENING = HookSecrets()
FOR_PROGRAMS = (f"{api.PREFIX}/", "/hooks/")
NOTICES = {400: "unreadable", 413: "too_long", 422: "unreadable"}

# The report is one file with its own styles inside, and nothing else.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(
    *,
    engine: Engine,
    company: Company,
    secret: bytes,
    clock: Callable[[], datetime],
    report: Path | None,
    kill_switch: Path,
    hooks: HookSecrets = NOT_LISTENING,
    public_url: str = "http://127.0.0.1",
    provider: Provider | None = None,
    ticks: Callable[[], float] = monotonic,
) -> FastAPI:
    """The app of one company.

    Args:
        secret: Of the pseudonyms that suppressions are filed under.
        clock: What time it is for the company; a rehearsal's stands still.
        report: The report's page, shown once the file exists. None: never shown.
        kill_switch: While this file exists, nothing leaves.
        hooks: What providers sign their reports with.
        public_url: Where people reach the pages. With https, cookies are for https only.
        provider: Where colleagues may sign in instead. None: with a password only.
        ticks: Seconds that pass, for the rate limits.
    """
    app = FastAPI(
        title=company.company.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # to an address that the visitor's own `Host` would make up
        # Its spans and logs would carry the addresses of pages, which are secrets, elsewhere.
        telemetry={"tracing": False, "logs": False, "metrics": False, "auto_configure": False},
        lifespan=lifespan,
    )
    app.state.desk = Desk(
        engine=engine,
        company=company,
        secret=secret,
        clock=clock,
        report=report,
        kill_switch=kill_switch,
        hooks=hooks,
        door=Door(
            public_url=public_url,
            by_client=RateLimit(burst=30, per_second=0.2, ticks=ticks),
            by_client_and_account=RateLimit(burst=10, per_second=1 / 60, ticks=ticks),
            by_account=RateLimit(burst=100, per_second=0.1, ticks=ticks),
            refusals=RateLimit(burst=1, per_second=1 / 60, ticks=ticks),
            provider=provider,
        ),
        afterwards=Afterwards(engine),
        visits=RateLimit(burst=30, per_second=0.5, ticks=ticks),
        misses=RateLimit(burst=20, per_second=0.1, ticks=ticks),
        refusals=RateLimit(burst=1, per_second=1 / 600, ticks=ticks),
        unsealings=RateLimit(burst=20, per_second=1 / 60, ticks=ticks),
    )
    app.include_router(brand.router)
    app.include_router(customers.router)
    app.include_router(owners.router)
    app.include_router(judging.router)
    app.include_router(approvals.router)
    app.include_router(hooks_in.router)
    app.include_router(operations)
    app.include_router(numbers)
    app.include_router(work)
    app.include_router(profile)
    for part in (sign_in, password_link, elsewhere, me, accounts, tokens, audit_log):
        app.include_router(part.router)
    app.add_api_route("/", home, methods=customers.READ)
    app.add_api_route("/health", health, methods=customers.READ)
    app.add_api_route("/report", show_report, methods=customers.READ)
    app.mount(assets.PREFIX, assets.Assets())
    app.mount(api.PREFIX, api.create_api(app.state.desk, ticks=ticks))
    app.add_exception_handler(SignInFirst, notices.sign_in_first)
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_unreadable)
    app.add_exception_handler(OperationalError, on_database_error)
    app.add_exception_handler(PoolTimeoutError, on_database_error)
    app.add_exception_handler(Exception, on_crash)
    app.add_middleware(WithoutNul)
    app.add_middleware(BodyLimit, refuse=_refuse_body)
    app.add_middleware(SecurityHeaders)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """What was only seen is written down before the process ends."""
    yield
    await run_in_threadpool(app.state.desk.afterwards.do)


def home(request: Request, desk: TheDesk) -> HTMLResponse:
    return desk.notice(request, "home", 200)


def health(desk: TheDesk) -> JSONResponse:
    """Whether the database answers."""
    try:
        with reading(desk.engine) as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, 503)
    return JSONResponse({"status": "ok"})


def show_report(desk: TheDesk) -> FileResponse:
    if desk.report is None or not desk.report.is_file():
        raise HTTPException(404)
    headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"}
    return FileResponse(desk.report, media_type="text/html", headers=headers)


def on_refusal(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Refusal)  # noqa: S101  (registered for it)
    page = _notice(request, exc.notice, exc.status, exc.language)
    # It may be a try that is to be noted.
    page.background = BackgroundTask(request.app.state.desk.afterwards.do)
    return page


def on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101
    page = _notice(request, NOTICES.get(exc.status_code, "unknown"), exc.status_code)
    page.headers.update(exc.headers or {})
    return page


def on_unreadable(request: Request, exc: Exception) -> Response:
    """An address with a number that nothing has, or a form with a file where text belongs.

    What was sent is not repeated.
    """
    assert isinstance(exc, RequestValidationError)  # noqa: S101
    if any(error["loc"][0] == "path" for error in exc.errors()):
        name = "not_here" if notices.is_inside(request.url.path) else "unknown"
        return _notice(request, name, 404)
    return _notice(request, "unreadable", 422)


def on_database_error(request: Request, exc: Exception) -> Response:
    """Somebody else writes for longer than we wait: that passes. Anything else is a crash."""
    if not is_busy(exc):
        raise exc
    page = _notice(request, "busy", 503)
    page.headers["Retry-After"] = str(RETRY_AFTER_S)
    return page


def on_crash(request: Request, _exc: Exception) -> Response:
    """Starlette raises it again afterwards, for the server's log."""
    return _notice(request, "broken", 500)


async def _refuse_body(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    warn_of_refusal(request.app.state.desk, request.url.path.removeprefix("/hooks/"), 413)
    page = await run_in_threadpool(_notice, request, "too_long", 413)
    await page(scope, receive, send)


def _notice(request: Request, name: str, status: int, language: str | None = None) -> Response:
    """Why there is no other answer: a problem for programs, a page for people."""
    desk: Desk = request.app.state.desk
    if f"{request.url.path}/".startswith(FOR_PROGRAMS):
        return problem(status)
    if notices.is_inside(request.url.path):
        return notices.notice(request, desk, name, status)
    return desk.notice(request, name, status, language)

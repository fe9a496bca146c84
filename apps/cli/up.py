"""``voc up``: Prefect's server and worker and the web app, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from apps.cli.children import Child, Children
from apps.cli.deploy import deploy_company, say
from apps.cli.locking import only_one
from apps.cli.prefect_server import (
    free_port,
    quiet_prefect,
    wait_until_answers,
    wait_until_healthy,
)
from voc.company import Company, load_company
from voc.errors import ConfigurationError, VocError
from voc.settings import Settings, get_settings
from voc.store.database import open_database, require_whole
from voc.targets import LOOPBACK

SMALL = (
    "Prefect keeps its own books in SQLite here: good for one person trying it. Before several "
    "people use the UI, give it PostgreSQL (docs/operating.md)."
)


def up(
    prefect_port: Annotated[
        int,
        typer.Option(min=0, max=65535, envvar="VOC_PREFECT_PORT", help="0: any that is free."),
    ] = 4200,
    prefect_host: Annotated[
        str, typer.Option(envvar="VOC_PREFECT_HOST", help="Where Prefect's server listens.")
    ] = "127.0.0.1",
) -> None:
    """Start the Prefect server, a worker and the web app; stop them all with Ctrl-C.

    With PREFECT_API_URL set, it uses the server that is there. Without a voc.yaml it works for
    the rehearsal company.
    """
    outer = get_settings()
    refuse_open_server(prefect_host)
    with only_one(outer.locks / "up.lock", "voc up"):
        company_file = _company_file(outer)
        settings = outer.at_work()
        company = load_company(company_file)
        engine = open_database(settings.database)
        require_whole(engine)
        engine.dispose()
        level = os.environ.get("PREFECT_LOGGING_LEVEL", "INFO")
        os.environ.update(children_environment(settings, company_file))
        quiet_prefect(outer)
        with Children(settings.home.resolve() / "logs") as children:
            try:
                _start(children, company, prefect_host, prefect_port, level)
                ended = children.wait_for_one_to_end()
            except KeyboardInterrupt:
                say("Stopping: worker first, then the web app, then the server.")
                return
            raise VocError(f"{ended.name} ended, so the rest is stopped; {ended.log} says why")


def refuse_open_server(host: str) -> None:
    """Prefect's server has no users: whoever reaches it may read and start anything.

    Raises:
        ConfigurationError: It would listen beyond this machine without a password.
    """
    if host not in LOOPBACK and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise ConfigurationError(
            f"Prefect's server would be open to everyone who reaches {host}: set "
            "PREFECT_SERVER_API_AUTH_STRING=user:password first"
        )


def children_environment(settings: Settings, company_file: Path) -> dict[str, str]:
    """What the children are told: the same as we know, in paths that hold in any folder."""
    port = settings.web_port or free_port()
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(Path(url.database).resolve()))
    told = {
        "VOC_HOME": str(settings.home.resolve()),
        "VOC_COMPANY": str(company_file.resolve()),
        "VOC_DATABASE_URL": url.render_as_string(hide_password=False),
        "VOC_DELIVERY": settings.delivery,
        "VOC_WEB_HOST": settings.web_host,
        "VOC_WEB_PORT": str(port),
    }
    if "public_url" not in settings.model_fields_set:
        told["VOC_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    if auth := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        told["PREFECT_API_AUTH_STRING"] = auth
    return told


def _company_file(settings: Settings) -> Path:
    """The company's file, or the rehearsal's, which is set up if need be."""
    if path := settings.company_file():
        return path
    from rehearsal.company_files import set_up

    say("No voc.yaml here: working for the rehearsal company. `voc init DIR` starts your own.")
    return set_up(settings.rehearsal)


def _start(children: Children, company: Company, host: str, port: int, level: str) -> None:
    """Start all there is to start, each when the one before it is ready."""
    is_ours = not os.environ.get("PREFECT_API_URL")
    if is_ours:
        _start_server(children, host, port)
    deploy_company(company, say)
    if is_ours:
        _clear_left_runs()
    web = children.start("web", ["apps.desk"], {})
    _wait_for_web(web)
    children.start(
        "worker",
        ["prefect", "worker", "start", "--pool", "voc-pool", "--name", socket.gethostname()],
        {"PREFECT_WORKER_QUERY_SECONDS": "2", "PREFECT_LOGGING_LEVEL": level},
    )
    _tell_addresses(is_ours=is_ours)


def _start_server(children: Children, host: str, port: int) -> None:
    port = port or free_port()
    _refuse_taken_port(host, port)
    server = children.start(
        "server",
        ["prefect", "server", "start", "--host", host, "--port", str(port)],
        {"PREFECT_UI_API_URL": "/api"},  # else its pages ask port 4200, whatever the port is
    )
    local = "127.0.0.1" if host in {"0.0.0.0", "::", "localhost"} else host  # noqa: S104
    os.environ["PREFECT_API_URL"] = f"http://{local}:{port}/api"
    say(f"Starting Prefect's server; the first time takes half a minute ({server.log}).")
    wait_until_healthy(os.environ["PREFECT_API_URL"], server.process, server.log)


def _refuse_taken_port(host: str, port: int) -> None:
    """Another server there would answer in the place of ours."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise VocError(
                f"port {port} is taken: `--prefect-port 0` takes a free one, and PREFECT_API_URL "
                "uses a server that runs already"
            ) from None


def _clear_left_runs() -> None:
    from prefect.client.orchestration import get_client

    from apps.cli.left_runs import crash_left_runs

    async def work() -> int:
        async with get_client() as client:
            return await crash_left_runs(client)

    if n := asyncio.run(work()):
        say(f"{n} run(s) of the last time had no worker any more: crashed, and tried once more")


def _wait_for_web(web: Child) -> None:
    host = os.environ["VOC_WEB_HOST"]
    local = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
    url = f"http://{local}:{os.environ['VOC_WEB_PORT']}/health"
    wait_until_answers(url, "the web app", web.process, web.log)


def _tell_addresses(*, is_ours: bool) -> None:
    prefect = os.environ["PREFECT_API_URL"].removesuffix("/api")
    home = Path(os.environ["VOC_HOME"])
    say("Up. Ctrl-C stops everything.")
    for what, where in (
        ("Prefect", f"{prefect}/v2/"),
        ("artifacts", f"{prefect}/v2/artifacts"),
        ("web app", os.environ.get("VOC_PUBLIC_URL") or get_settings().public_url),
        ("the report", home / "reports" / "report.html"),
        ("the mails", home / "mailbox" / "index.html"),
        ("logs", home / "logs"),
        ("for `voc deploy`", f"export PREFECT_API_URL={prefect}/api"),
    ):
        say(f"  {what:<17} {where}")
    database = os.environ.get("PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite")
    if is_ours and database.startswith("sqlite"):
        say(SMALL)

"""Building the web app from the settings and the company file, and running it."""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from threading import Timer
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from apps.desk.access.provider import Provider
from apps.desk.app import create_app
from apps.desk.desk import compile_templates
from apps.desk.signatures import HookSecrets
from voc.company import Company, load_company
from voc.company.hooks import why_unheard
from voc.errors import ConfigurationError
from voc.settings import Settings, get_settings
from voc.store.clock import rehearsal_clock
from voc.store.database import open_database, reading
from voc.store.installation import check_secret
from voc.targets import LOOPBACK

SOON_S = 1
"""After the start: who waits for it is not made to wait longer."""


def build(settings: Settings, company: Company) -> FastAPI:
    """The app of *company* on this machine.

    The report is for colleagues: it is only shown while the pages cannot be reached from
    elsewhere.

    Raises:
        ConfigurationError: The database cannot be opened, or a secret of this machine is none.
    """
    for name, keys in settings.webhook_secrets.items():
        if reason := why_unheard(company, name, keys):
            raise ConfigurationError(reason)
    engine = open_database(settings.database)
    check_secret(engine, settings.secret())
    is_local = {settings.web_host, urlsplit(settings.public_url).hostname} <= LOOPBACK
    return create_app(
        engine=engine,
        company=company,
        secret=settings.secret(),
        clock=lambda: company_time(engine),
        report=settings.reports / "report.html" if is_local else None,
        kill_switch=settings.kill_switch,
        public_url=settings.public_url,
        provider=provider_of(settings),
        hooks=HookSecrets(
            public_url=settings.public_url,
            twilio=settings.twilio.auth_token,
            by_name=settings.webhook_secrets,
        ),
    )


def provider_of(settings: Settings) -> Provider | None:
    """Where colleagues may sign in, beside our own page."""
    if not settings.oidc.issuer:
        return None
    return Provider(settings.oidc, settings.public_url, lambda: datetime.now(UTC))


def company_time(engine: Engine) -> datetime:
    """What time it is for the company: the links of a rehearsal's mails live by its own clock."""
    with reading(engine) as session:  # each page asks: none waits for a writer
        played = rehearsal_clock(session)
    return played.now if played else datetime.now(UTC)


def company_of(settings: Settings) -> Company:
    """The company file's, or the rehearsal's.

    Raises:
        ConfigurationError: There is neither, or it is wrong.
    """
    path = settings.company_file()
    if path is None or not path.exists():
        raise ConfigurationError(
            f"no company file at {path}: `voc init DIR` writes one, `voc run` plays a rehearsal"
        )
    return load_company(path)


def server(settings: Settings, company: Company) -> uvicorn.Server:
    """A server that is ready to run. It keeps no log of visits: addresses of pages are secrets."""
    config = uvicorn.Config(
        build(settings, company),
        host=settings.web_host,
        port=settings.web_port,
        access_log=False,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    return uvicorn.Server(config)


def run() -> int:
    try:
        settings = get_settings().at_work()
        ready = server(settings, company_of(settings))
        gc.freeze()  # or each full collection looks through all of this, in the midst of some page
        gc.enable()
        soon = Timer(SOON_S, compile_templates)
        soon.daemon = True
        soon.start()
        ready.run()
    except ConfigurationError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0

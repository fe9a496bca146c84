"""``voc desk``: who may use the desk, told from the machine that it runs on."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from sqlmodel import Session

from apps.cli.login import login_name
from apps.cli.shown import shown
from tasks.workplace import workplace
from voc.actions import accounts as actions
from voc.errors import NotFoundError
from voc.models import Account, Role
from voc.store import accounts
from voc.store.database import transaction

app = typer.Typer(no_args_is_help=True, help="The desk: who may use it.")
console = Console()

Email = Annotated[str, typer.Argument(help="The address of the account.")]
Actor = Annotated[
    str,
    typer.Option("--as", help="Who acts; default: your login name.", default_factory=login_name),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command("create-user")
def create_user(
    email: Email,
    *,
    name: Annotated[str, typer.Option(help="What colleagues call them.")],
    role: Annotated[Role, typer.Option(help="What they may see and do.")],
    actor: Actor,
    department: Annotated[
        list[str] | None, typer.Option(help="Of an owner. May be repeated.")
    ] = None,
    password_stdin: FromStdin = False,
) -> None:
    """Open an account: the first administrator's, who opens the others in the desk."""
    place = workplace()
    kept = actions.kept_password(_password(ask=not password_stdin), email)
    now = place.clock()
    with transaction(place.engine) as session:
        account = actions.create(
            session,
            place.company,
            email=email,
            name=name,
            role=role,
            departments=department or (),
            password_hash=kept,
            actor=actor,
            now=now,
        )
    console.print(f"{escape(shown(account.email))} may sign in at {place.settings.public_url}/desk")


@app.command("close-user")
def close_user(email: Email, actor: Actor) -> None:
    """Close an account, and sign its browsers out."""
    place = workplace()
    now = place.clock()
    with transaction(place.engine) as session:
        actions.close(session, _found(session, email), actor=actor, now=now)
    console.print(f"{escape(shown(email))} is closed.")


@app.command("set-password")
def set_password(email: Email, actor: Actor, password_stdin: FromStdin = False) -> None:
    """Give an account another password, and sign its browsers out."""
    place = workplace()
    with transaction(place.engine) as session:
        _found(session, email)
    kept = actions.kept_password(_password(ask=not password_stdin), email)
    now = place.clock()
    with transaction(place.engine) as session:
        account = _found(session, email)
        actions.set_password(session, account, kept, actor=actor, now=now)
    console.print(f"{escape(shown(email))} has another password.")


def _password(*, ask: bool) -> str:
    """Typed twice, unseen; or the first line of what comes in."""
    if ask:
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _found(session: Session, email: str) -> Account:
    account = accounts.by_email(session, email)
    if account is None:
        raise NotFoundError("nobody has an account with this address")
    return account

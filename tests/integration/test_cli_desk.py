"""``voc desk``: accounts from the command line."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import select
from typer.testing import CliRunner

from apps.cli.main import app
from tasks.workplace import workplace
from tests.story import write_company
from voc.models import Account, AuditEntry, Role
from voc.passwords import is_password
from voc.store.database import reading

ADA = "ada@shop.example"
PASSWORD = "correct horse battery"


def desk(*words: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["desk", *words], input=typed, env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_the_first_administrator_is_made_changed_and_stays(home: Path) -> None:
    write_company(home)
    create = ("create-user", ADA, "--name", "Ada", "--role", "administrator")
    assert desk(*create, "--password-stdin", typed="short\n")[0] == 1
    code, said = desk(*create, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert (code, "may sign in at http://127.0.0.1:8321/desk" in said) == (0, True)
    assert PASSWORD not in said
    code, said = desk(*create, "--password-stdin", typed=PASSWORD)
    assert (code, "has an account already" in said) == (1, True)
    assert desk("set-password", ADA, "--password-stdin", typed="staple of horses\n")[0] == 0
    code, said = desk("close-user", ADA)
    assert (code, "last administrator" in said) == (1, True)
    with reading(workplace().engine) as session:
        account = session.exec(select(Account)).one()
        deeds = session.exec(select(AuditEntry.deed).order_by("id")).all()
    assert (account.email, account.role, account.closed_at) == (ADA, Role.ADMINISTRATOR, None)
    assert is_password("staple of horses", account.password_hash)
    assert deeds == ["account_created", "password_set"]


def test_an_owner_is_made_and_closed(home: Path) -> None:
    write_company(home)
    create = ("create-user", ADA, "--name", "Ada", "--role", "owner", "--password-stdin")
    code, said = desk(*create, "--department", "moon", typed=PASSWORD)
    assert (code, "no department moon" in said) == (1, True)
    assert desk(*create, "--department", "delivery", typed=PASSWORD)[0] == 0
    assert desk("close-user", ADA)[0] == 0
    assert desk("close-user", "nobody@shop.example")[0] == 1
    with reading(workplace().engine) as session:
        account = session.exec(select(Account)).one()
    assert account.departments == ["delivery"]
    assert account.closed_at is not None

"""Accounts of the desk: made, changed, closed; and each deed written down with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from voc.company import Company
from voc.errors import VocError
from voc.models import Account, Role
from voc.passwords import hash_password
from voc.rules.access import password_problem
from voc.store import accounts, audit
from voc.text import normalise

LONGEST_NAME = 100


class AccountError(VocError):
    """An account cannot be as it was wanted; the text says why, for who wants it."""


def kept_password(password: str, email: str) -> str:
    """What is kept of a good password. Takes a moment on purpose: not for a transaction.

    Raises:
        AccountError: It is easy to guess.
    """
    if problem := password_problem(password, email):
        raise AccountError(problem)
    return hash_password(password)


def create(
    session: Session,
    company: Company,
    *,
    email: str,
    name: str,
    role: Role,
    departments: Sequence[str],
    password_hash: str | None,
    actor: str,
    now: datetime,
) -> Account:
    """A new account. Without a password its holder sets one by a link, or signs in elsewhere.

    Raises:
        AccountError: There is one for this address, or something about it is wrong.
    """
    address = _address(email)
    taken = AccountError(f"{address} has an account already; it may be closed.")
    if accounts.by_email(session, address):
        raise taken
    account = Account(
        email=address,
        name=_name(name),
        role=role,
        departments=_departments(company, role, departments),
        password_hash=password_hash,
        created_at=now,
    )
    session.add(account)
    try:
        session.flush()
    except IntegrityError:  # by somebody else, at this very moment
        raise taken from None
    audit.write(session, actor, "account_created", subject_of(account), role.value, at=now)
    return account


def change(
    session: Session,
    company: Company,
    account: Account,
    *,
    name: str,
    role: Role,
    departments: Sequence[str],
    actor: str,
    now: datetime,
) -> None:
    """Change what an account may see. It holds from the next page that they open.

    Raises:
        AccountError: Nobody could open accounts any more, or something about it is wrong.
    """
    if role is not Role.ADMINISTRATOR:
        _require_another(session, account)
    accounts.locked(session, account.id or 0)  # after the administrators: all lock in one order
    account.name, account.role = _name(name), role
    account.departments = _departments(company, role, departments)
    session.add(account)
    detail = ",".join((role.value, *account.departments))
    audit.write(session, actor, "account_changed", subject_of(account), detail, at=now)


def change_self(
    session: Session, account: Account, *, name: str, timezone: str | None, now: datetime
) -> None:
    """What everybody may change of their own account. Without a *timezone*: the company's.

    Raises:
        AccountError: The name is none.
    """
    account.name, account.timezone = _name(name), timezone
    session.add(account)
    audit.write(session, account.email, "settings_changed", subject_of(account), at=now)


def take_role(session: Session, account: Account, role: Role, *, now: datetime) -> None:
    """Give an account the role that the identity provider says.

    The last administrator stays one, whatever it says.
    """
    if account.role is role or accounts.is_last_administrator(session, account.id or 0):
        return
    account.role = role
    session.add(account)
    detail = role.value
    audit.write(session, account.email, "role_from_provider", subject_of(account), detail, at=now)


def close(session: Session, account: Account, *, actor: str, now: datetime) -> None:
    """Let nobody in with this account any more, those who are in included.

    Raises:
        AccountError: Nobody could open accounts any more.
    """
    _require_another(session, account)
    accounts.locked(session, account.id or 0)
    account.closed_at = now
    account.password_link += 1
    session.add(account)
    accounts.end_sessions(session, account.id or 0)
    audit.write(session, actor, "account_closed", subject_of(account), at=now)


def reopen(session: Session, account: Account, *, actor: str, now: datetime) -> None:
    account.closed_at = None
    session.add(account)
    audit.write(session, actor, "account_reopened", subject_of(account), at=now)


def set_password(
    session: Session,
    account: Account,
    password_hash: str,
    *,
    actor: str,
    now: datetime,
    staying: str = "",
) -> None:
    """Another password; browsers that came in with the old one are signed out.

    Args:
        staying: The hash of the token of the one browser that is not.
    """
    account.password_hash = password_hash
    account.password_link += 1
    session.add(account)
    accounts.end_sessions(session, account.id or 0, but=staying)
    audit.write(session, actor, "password_set", subject_of(account), at=now)


def make_link(session: Session, account: Account, *, actor: str, now: datetime) -> None:
    """Let another link set the password; those that were made before do not any more."""
    accounts.locked(session, account.id or 0).password_link += 1
    audit.write(session, actor, "password_link_made", subject_of(account), at=now)


def subject_of(account: Account) -> str:
    """How the audit log names it."""
    return f"account:{account.id}"


def _require_another(session: Session, account: Account) -> None:
    if accounts.is_last_administrator(session, account.id or 0):
        raise AccountError(
            "This is the last administrator: make somebody else one first, "
            "or nobody could open accounts any more."
        )


def _departments(company: Company, role: Role, wanted: Sequence[str]) -> list[str]:
    """Those of an owner; nobody else has any."""
    if role is not Role.OWNER:
        return []
    known = [department.id for department in company.departments]
    if unknown := sorted(set(wanted) - set(known)):
        raise AccountError(f"There is no department {unknown[0]}; there are: {', '.join(known)}.")
    if not wanted:
        raise AccountError("An owner needs at least one department.")
    return [department for department in known if department in wanted]


def _address(email: str) -> str:
    try:
        validate_email(
            email.strip(),
            check_deliverability=False,
            globally_deliverable=False,
            test_environment=True,
        )
    except EmailNotValidError:
        raise AccountError("That is no e-mail address: write name@example.com.") from None
    return email.strip().lower()


def _name(name: str) -> str:
    name = " ".join(normalise(name).split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise AccountError(f"A name has between 1 and {LONGEST_NAME} characters.")
    return name

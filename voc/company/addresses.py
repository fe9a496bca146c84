"""Addresses of people, as the company file states them."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator


def _address(address: str) -> str:
    try:
        validate_email(
            address, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as exc:
        raise ValueError(f"{address!r} is no e-mail address: {exc}") from None
    return address


def _sender(sender: str) -> str:
    if not parseaddr(sender)[1]:
        raise ValueError('holds no e-mail address; write "Name <address@example.com>"')
    _address(parseaddr(sender)[1])
    return sender


EmailAddress = Annotated[str, AfterValidator(_address)]
Sender = Annotated[str, AfterValidator(_sender)]

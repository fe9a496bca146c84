"""Bounces: what a server says when it could not deliver, by the standard (RFC 3464) or not."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from notifications.inbox.parts import addresses, all_text, header, headers, parts_of
from voc.models import InboundKind
from voc.rules.inbound_mail import STATUS, kind_of_failure, status_in

DAEMONS = re.compile(r"(mailer-?daemon|postmaster|mail-?daemon|mdaemon|bounces?)[@+]")
MOST_EXPLAINED = 20_000
RETURNED_MAIL = re.compile(r"^(?:-+ ?this is a copy|received:|return-path:)", re.I | re.M)
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs what we deal with here


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail of ours. Without a kind it says nothing final."""

    kind: InboundKind | None
    status: str = ""


def report_of(mail: Message, *, to_bounce_address: bool) -> Report | None:
    """What a server reports of a mail that we sent; None if this is no such report.

    Args:
        to_bounce_address: It came to an address that only servers write to.
    """
    recipients = [
        block for part in parts_of(mail, "message/delivery-status") for block in _blocks(part)
    ]
    if recipients:
        return _standard(recipients)
    daemon = any(DAEMONS.match(a) for a in addresses(mail, "From"))
    if not daemon and not is_null_sender(mail) and not to_bounce_address:
        return None
    return _homemade(mail, by_its_words=daemon)


def is_null_sender(mail: Message) -> bool:
    """Whether it has no sender that could be answered, as reports have."""
    return header(mail, "Return-Path") == "<>"


def _blocks(part: Message) -> list[Message]:
    """What is said of each recipient. What is said of the whole mail has no Action."""
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else []
    return [block for block in blocks if isinstance(block, Message) and header(block, "Action")]


def _standard(recipients: Sequence[Message]) -> Report:
    """Our mails have one recipient. An address that stands for several may fail for some."""
    actions = {header(block, "Action").split()[0].casefold() for block in recipients}
    if "failed" not in actions:
        arrived = "delivered" in actions
        return Report(InboundKind.DELIVERED if arrived else None, _status(recipients[0]))
    failed = [b for b in recipients if header(b, "Action").casefold().startswith("failed")]
    kinds = {kind_of_failure(_status(b), header(b, "Diagnostic-Code")) for b in failed}
    kind = kinds.pop() if len(kinds) == 1 else InboundKind.SOFT_BOUNCED
    if kind is InboundKind.HARD_BOUNCED and len(failed) < len(recipients):
        kind = InboundKind.SOFT_BOUNCED
    return Report(kind, _status(failed[0]))


def _status(block: Message) -> str:
    """The status, or a more telling one from the other server's own words."""
    given = STATUS.search(header(block, "Status"))
    status = given[0] if given else ""
    if status.endswith(".0.0") or not status:
        told = status_in(headers(block, ("Diagnostic-Code",)))
        status = told if told[:1] == (status[:1] or told[:1]) else status
    return status or "5.0.0"


def _homemade(mail: Message, *, by_its_words: bool) -> Report | None:
    """A report in a server's own words: its code if it has one, else what it looks like.

    Args:
        by_its_words: Whether a code in its words is enough. Machines that answer for people
            write to the same address: "back on 5.1.26" and "call 555-1234" are no codes.
    """
    temporary, permanent = all_failures(mail)
    if temporary and not permanent:
        return Report(None)  # "still trying"
    text = all_text(mail)[:MOST_EXPLAINED]
    explained = RETURNED_MAIL.split(text, maxsplit=1)[0]
    status = status_in(explained)
    if not permanent and not (status and by_its_words):
        return None
    return Report(kind_of_failure(status or "5.0.0", explained), status or "5.0.0")

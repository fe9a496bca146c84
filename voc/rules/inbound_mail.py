"""What mails say that come in: a server's report about an address, a customer's words to us."""

from __future__ import annotations

import re

from voc.models import InboundKind, Verdict
from voc.rules.sms_words import Asks, asks_for
from voc.rules.verdicts import verdict_of

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
REPLY_CODE = re.compile(r"(?<![\d.#])(?:SMTP;\s*)?([45])\d\d(?=[\s-])")
NO_SUCH_ADDRESS = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.0", "2.1"})
"""Subject and detail of RFC 3463: unknown mailbox or domain, moved, takes no mail, closed."""
MAY_WORK_LATER = frozenset({"2.2", "2.4", "3.1"})
"""A full mailbox, a list that is being expanded, a full mail system: permanent in name only."""
OUR_ADDRESS = frozenset({"1.7", "1.8"})
"""The sender's is refused."""
FULL = re.compile(
    r"(mailbox|inbox|quota|storage|postfach|buz[oó]n|bo[iî]te)\W+(\w+\W+){0,3}"
    r"(full|exceed\w*|voll|lleno|pleine|over)|over\s?quota|out of storage|insufficient storage",
    re.IGNORECASE,
)
UNKNOWN = re.compile(
    r"(user|address|recipient|mailbox|account)\W+(\w+\W+){0,3}"
    r"(unknown|not found|does(?:n.t| not) exist|no longer (?:valid|exists)|invalid|disabled)"
    r"|(no such|unknown|invalid) (user|address|recipient|mailbox|account|person|local part)"
    r"|no mailbox here by that name|unrouteable address",
    re.IGNORECASE,
)


def status_in(text: str) -> str:
    """The first status code in a report: "5.1.1"; "5.0.0" or "4.0.0" for a plain 550; or ""."""
    if found := STATUS.search(text):
        return found[0]
    plain = REPLY_CODE.search(text)
    return f"{plain[1]}.0.0" if plain else ""


def kind_of_failure(status: str, explanation: str) -> InboundKind:
    """What a failure with this RFC 3463 status means for the address.

    A full mailbox is temporary whatever the server calls it. A refusal of our mail (5.3, 5.5 to
    5.7: too big, content, policy) or of our own address (5.1.7, 5.1.8) says nothing of theirs,
    given up after a while (4.7) or at once; a route that does not work (5.4) may work again.
    Where the status says nothing, the explanation decides.
    """
    severity, _, rest = status.partition(".")
    about_us = rest.startswith(("5.", "6.", "7.")) or rest in OUR_ADDRESS
    if severity in {"4", "5"} and about_us and not FULL.search(explanation):
        return InboundKind.FAILED
    if severity != "5" or rest in MAY_WORK_LATER or FULL.search(explanation):
        return InboundKind.SOFT_BOUNCED
    if rest in NO_SUCH_ADDRESS and rest not in {"1.0", "2.0"}:
        return InboundKind.HARD_BOUNCED
    if rest in {"0.0", "1.0", "2.0"}:
        is_gone = UNKNOWN.search(explanation) is not None
        return InboundKind.HARD_BOUNCED if is_gone else InboundKind.SOFT_BOUNCED
    if rest.startswith(("1.", "4.")):
        return InboundKind.SOFT_BOUNCED
    return InboundKind.FAILED


def meaning_of(words: str) -> tuple[InboundKind, Verdict]:
    """Whether a reply is a wish for silence, and what it says about its case: it may do both."""
    asks = asks_for(words)
    kind = InboundKind.OPTED_OUT if asks is Asks.STOP else InboundKind.REPLIED
    return kind, Verdict.UNCLEAR if asks is Asks.PERHAPS_STOP else verdict_of(words)

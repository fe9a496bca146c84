"""Which mails a machine wrote by itself (RFC 3834): they are never an answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from email.message import Message

from notifications.inbox.bounces import is_null_sender
from notifications.inbox.parts import addresses, header, visible_text

BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
SUPPRESSES = frozenset({"all", "oof", "autoreply"})
OWN_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From", "List-Id")
AWAY_SUBJECT = re.compile(
    r"(out of (the )?office|auto(matic)?[- ]?(reply|response)|away from|on vacation|"
    r"abwesen|automatische antwort|autom\. antwort|au(ß|ss)er haus|"
    r"respuesta autom[aá]tica|fuera de (la )?oficina|ausencia|"
    r"r[eé]ponse automatique|absence|absent du bureau|message d'absence)",
    re.IGNORECASE,
)
AWAY_WORDS = re.compile(
    r"\b(out of (the )?office|on (vacation|holiday|leave)|will be back|limited access to|"
    r"nicht im (büro|haus)|abwesend|im urlaub|wieder erreichbar|wird nicht weitergeleitet|"
    r"fuera de la oficina|de vacaciones|estar[eé] de vuelta|"
    r"absente? du bureau|en cong[eé]s?|en vacances|de retour le)\b",
    re.IGNORECASE,
)


def machine_sign(mail: Message, *, own_addresses: Collection[str]) -> str | None:
    """What shows that nobody wrote this mail: "auto-submitted"; None if a person may have.

    Args:
        own_addresses: Ours: a mail from one of them has gone round in a circle.
    """
    ours = {address.casefold() for address in own_addresses}
    if ours & {_plain(a) for a in addresses(mail, "From", "Sender", "X-Loop")}:
        return "loop"
    if header(mail, "Auto-Submitted").casefold().partition(";")[0].strip() not in {"", "no"}:
        return "auto-submitted"
    if is_null_sender(mail):
        return "return-path"
    if header(mail, "Precedence").casefold() in BULK:
        return "precedence"
    suppresses = re.split(r"[\s,]+", header(mail, "X-Auto-Response-Suppress").casefold())
    if SUPPRESSES & set(suppresses):
        return "x-auto-response-suppress"
    own = next((name for name in OWN_HEADERS if mail.get(name) is not None), None)
    return own.casefold() if own else _looks_away(mail)


def _looks_away(mail: Message) -> str | None:
    """By its words, and only if two things say so: people write about their holidays, too."""
    subject = AWAY_SUBJECT.match(header(mail, "Subject"))
    no_thread = not header(mail, "In-Reply-To") and not header(mail, "References")
    words = AWAY_WORDS.search(visible_text(mail)[:1_000])
    return "subject" if subject and (no_thread or words) else None


def _plain(address: str) -> str:
    """care+r-TOKEN@example.com is care@example.com."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"

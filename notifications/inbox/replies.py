"""A customer's own new words in a reply: without what they quote, and without their signature.

Written by hand: the library that was tried took minutes on hostile lines, cut sentences that
begin with "Thank you, but", and missed answers below or between quoted lines (ADR 0014).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

MOST_LINES, MOST_WORDS = 2_000, 5_000
LONGEST_INTRODUCTION = 300
INTRODUCTION = re.compile(
    r"(on|am|el|le|il|op|em|den|dne|w dniu)\s.*\b"
    r"(wrote|schrieb\b.*|escribi[oó]|a [eé]crit|ha scritto|schreef.*|escreveu|skrev.*)\s?:",
    re.IGNORECASE,
)
"""On Monday Noodles wrote:"""
BEGINS_INTRODUCTION = re.compile(r"(on|am|el|le|il|op|em|den|dne|w dniu)\s", re.IGNORECASE)
FROM = re.compile(r"\W*(from|von|de|da|van|från|fra)\s?:\W*\S", re.IGNORECASE)
SENT = re.compile(
    r"\W*(sent|date|to|subject|gesendet|datum|an|betreff|enviad[oa]( el)?|fecha|para|asunto|"
    r"envoy[eé]|à|objet|inviato|oggetto|verzonden|aan|onderwerp|enviada|skickat|sendt)\s?:",
    re.IGNORECASE,
)
SEPARATOR = re.compile(
    r"(-{2,}|_{2,})\s*(original message|original appointment|forwarded message|"
    r"urspr[uü]ngliche nachricht|originalnachricht|weitergeleitete nachricht|mensaje original|"
    r"mensaje reenviado|message d.origine|message original|message transf[eé]r[eé])\s*(-{2,}|_{2,})"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:",
    re.IGNORECASE,
)
SIGNATURE = re.compile(r"(--|__)\s?")
SENT_FROM = re.compile(
    r"(sent from (my|mail|outlook|yahoo)|get outlook for|von meinem .{2,40} gesendet|"
    r"gesendet (von|mit|aus) |enviado desde|envoy[eé] (de|depuis)|inviato da)\b.{0,80}",
    re.IGNORECASE,
)
LINE = re.compile(r"_{20,}|-{20,}")
A_COPY = 3
"""So many lines of ours are a copy of our mail; fewer may be the customer saying the same."""


def new_words(text: str, ours: str = "") -> str:
    """What the sender added to a conversation, at most 5,000 characters of it.

    Quoted lines are left out wherever they stand. What follows an introduction ("On Monday you
    wrote:") is kept if quoted lines show where the quotation ends; what follows a copied head
    ("From: ... Sent: ...") is not.

    Args:
        ours: The text of the mail that it answers: its lines are ours, however they are quoted.
    """
    lines = [line.strip() for line in islice(text.splitlines(), MOST_LINES)]
    said = _without_quotations(lines)
    known = " ".join(ours.split())
    own_lines = {" ".join(line.split()) for line in ours.splitlines()} - {""}
    copied = {line for line in said if _is_ours(line, own_lines, known)}
    kept = [line for line in said if line not in copied or len(copied) < A_COPY]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()[:MOST_WORDS]


def _without_quotations(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    quoted_below = _has_quoted_below(lines)
    at = 0
    while at < len(lines):
        line = lines[at]
        if SEPARATOR.fullmatch(line) or _is_copied_head(lines, at):
            break
        if SIGNATURE.fullmatch(line) and any(kept):
            break
        if length := _introduction(lines, at):
            if any(kept) and not quoted_below[at]:
                break
            at += length
            continue
        if not line.startswith((">", "|")) and not SENT_FROM.fullmatch(line):
            kept.append("" if LINE.fullmatch(line) else line)
        at += 1
    return kept


def _has_quoted_below(lines: Sequence[str]) -> list[bool]:
    """For each line whether a quoted one follows it."""
    found, seen = [False] * len(lines), False
    for at in range(len(lines) - 1, -1, -1):
        found[at] = seen
        seen = seen or lines[at].startswith(">")
    return found


def _introduction(lines: Sequence[str], at: int) -> int:
    """How many lines from here say who wrote what follows: mail programs break them; 0 if none."""
    if not BEGINS_INTRODUCTION.match(lines[at]):
        return 0
    for length in (1, 2, 3):
        joined = " ".join(lines[at : at + length])
        if len(joined) <= LONGEST_INTRODUCTION and INTRODUCTION.fullmatch(joined):
            return length
    return 0


def _is_copied_head(lines: Sequence[str], at: int) -> bool:
    """From: ..., and within a few lines Sent: and To: or Subject:."""
    if not FROM.match(lines[at][:200]):
        return False
    return sum(bool(SENT.match(line[:50])) for line in lines[at + 1 : at + 6]) > 1


def _is_ours(line: str, own_lines: set[str], known: str) -> bool:
    """A whole line of our mail, or a piece of it that nobody writes by chance.

    Our question offers "Yes, it is solved: LINK"; who writes the same without the link says it.
    """
    plain = " ".join(line.lstrip("> ").split())
    return plain in own_lines or (len(plain) > 30 and plain in known)  # noqa: PLR2004

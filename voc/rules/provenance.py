"""What the ledger says of a decision: codes and ids, from the feedback's version to the model.

Pairs of ``name=value``, space between them; only the last value may hold spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from voc.models import AnswerWay, Purpose, Verdict
from voc.rules.routing import Issue

LONGEST = 255
CONTENT_DIGITS = 16
_SHA256 = re.compile(r"sha256=([0-9a-f]{64})$")
_CHOICE = re.compile(r"customer=(\d+) purpose=(\w+)")
_MERGED = re.compile(r"customer=(\d+) kept=(\d+)")
_ORIGIN = re.compile(r"feedback=(\d+) version=(\d+) content=([0-9a-f]*)")


def origin(what: str, feedback_id: int, version: int, content_hash: str, readers: str) -> str:
    """Which words *what* is about, and the versions of the models that read them.

    The words' hash is keyed, so that nobody guesses short ones from it.
    """
    words = f"version={version} content={content_hash[:CONTENT_DIGITS]}"
    return f"{what} feedback={feedback_id} {words} read_by={readers or '-'}"[:LONGEST]


def read_origin(detail: str) -> tuple[int, int, str] | None:
    """Feedback, version and beginning of the content's hash, if the detail names them."""
    found = _ORIGIN.search(detail)
    return found and (int(found[1]), int(found[2]), found[3])


def decided(issue: Issue) -> str:
    """Why an issue went to its department, and who or what said so.

    Statements that find no room are counted: they point to the ticket, too.
    """
    before = f"department={issue.department} topic={issue.topic or '-'} reason={issue.reason}"
    if issue.probability is not None:
        before += f" p={issue.probability:.3f}"
    after = f" by={issue.by}"
    room = LONGEST - len(before) - len(after) - len(" statements=")
    return f"{before} statements={_listed(issue.statement_ids, room)}{after}"[:LONGEST]


def handed_over(route: str, content: bytes) -> str:
    """By which way a message goes out, and which bytes."""
    return f"{route} sha256={sha256(content).hexdigest()}"


def read_content_hash(detail: str) -> str | None:
    """The hash of the bytes that were handed over, if the detail names it."""
    found = _SHA256.search(detail)
    return found and found[1]


def answered(verdict: Verdict, way: AnswerWay, round_asked: int) -> str:
    """What a customer said, by which way, to the question of which round (0: to none)."""
    return f"{verdict} by {way} to round {round_asked}"


def chose(customer_id: int, purpose: Purpose) -> str:
    """Which messages a customer opts out of, or into again."""
    return f"customer={customer_id} purpose={purpose}"


def read_choice(detail: str) -> tuple[int, str] | None:
    """Customer and purpose of an opt-out, if the detail names them."""
    found = _CHOICE.search(detail)
    return found and (int(found[1]), found[2])


def same_person(merged_id: int, kept_id: int) -> str:
    """Which customer turned out to be the same person as which, or not to be."""
    return f"customer={merged_id} kept={kept_id}"


def read_same_person(detail: str) -> tuple[int, int] | None:
    """The merged customer and the one that was kept, if the detail names them."""
    found = _MERGED.search(detail)
    return found and (int(found[1]), int(found[2]))


def _listed(ids: Sequence[int], room: int) -> str:
    whole = ",".join(map(str, ids))
    if len(whole) <= room:
        return whole
    shown = [*ids]
    while shown and len(f"{','.join(map(str, shown))},+{len(ids)}") > room:
        shown.pop()
    return ",".join([*map(str, shown), f"+{len(ids) - len(shown)}"])

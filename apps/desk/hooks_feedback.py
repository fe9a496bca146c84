"""Feedback that a service pushes: signed, masked, stored before it is answered, once for ever."""

from __future__ import annotations

import logging

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from apps.desk.desk import Desk
from apps.desk.hooks_call import Call
from apps.desk.links.masking import masker
from apps.desk.signatures import is_standard, is_typeform
from sources.base import RawFeedback, Rejected
from sources.rows import TakenBack
from sources.webhook import read_pushed
from voc.actions import collect
from voc.arrivals import Page
from voc.company.sources import WebhookSource
from voc.models import InboundKind
from voc.rules.sealing import Seal
from voc.rules.tokens import digest
from voc.store import inbound
from voc.store.database import reading, transaction

log = logging.getLogger(__name__)

WHY = {401: "not signed with its secret in VOC_WEBHOOK_SECRETS", 413: "too long"}


def feedback_source(desk: Desk, name: str) -> WebhookSource | None:
    """The source of the company file that pushes to this address."""
    return next(
        (s for s in desk.company.sources if isinstance(s, WebhookSource) and s.id == name), None
    )


def warn_of_refusal(desk: Desk, name: str, status: int) -> None:
    """Say in the log that a source's delivery was refused: else only its sender would know.

    A line in ten minutes for each source. What comes to an address of no source is not told.
    """
    if feedback_source(desk, name) is not None and desk.refusals.take(name):
        log.warning("a delivery of source %s was refused: %d %s", name, status, WHY[status])


def take_feedback(call: Call, source: WebhookSource) -> Response:
    """Store what a source pushed; what is no feedback as it stands goes into quarantine.

    Storing is harmless to repeat, so it comes first and the note that it came comes after: if we
    are interrupted in between, the sender repeats it, and nothing is lost.

    Raises:
        HTTPException: 401: it is not signed by the source.
    """
    desk = call.desk
    if source.provider == "typeform":
        signature = call.headers.get("typeform-signature", "")
        is_theirs = is_typeform(desk.hooks, source.id, call.body, signature)
    else:
        is_theirs = is_standard(desk.hooks, source.id, call.body, call.headers)
    if not is_theirs:
        warn_of_refusal(desk, source.id, 401)
        raise HTTPException(401)
    pushed = read_pushed(call.body, source, now=call.now)
    if pushed.found is None:
        return Response(status_code=200)
    event_id = call.headers.get("webhook-id", "") if source.provider == "standard" else ""
    event_id = event_id or pushed.event_id or digest(desk.secret, "push", call.body.hex()).hex()
    provider = f"hook:{source.id}"
    with reading(desk.engine) as session:
        if inbound.is_kept(session, provider, event_id):
            return Response(status_code=200)
    outcome = _store(call, source, pushed.found)
    with transaction(desk.engine) as session:
        row = {
            "provider": provider,
            "event_id": event_id[:255],
            "kind": InboundKind.FEEDBACK,
            "code": "",
            "occurred_at": call.now,
            "received_at": call.now,
            "applied_at": call.now,
            "outcome": outcome,
        }
        inbound.insert(session, row)
    return Response(status_code=200)


def _store(call: Call, source: WebhookSource, found: RawFeedback | TakenBack | Rejected) -> str:
    """Let it through the door that all feedback passes; what came of it."""
    desk = call.desk
    door = collect.Door(
        mask=masker(desk.company),
        seal=Seal(desk.secret).close,
        secret=desk.secret,
        region=desk.company.company.phone_regions[0],
    )
    page = Page(
        items=[found] if isinstance(found, RawFeedback) else [],
        rejected=[found] if isinstance(found, Rejected) else [],
        deleted=[found.external_id] if isinstance(found, TakenBack) else [],
        cursor="",
        in_order=False,
    )
    counts = collect.store_page(desk.engine, source.id, page, door, now=call.now)
    return next(iter(counts), "unchanged")

"""A small company as other programs see it, and tokens to ask with."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine

from tests.factories import NOW, save, save_open_ticket
from voc.models import ApiToken, Label, Suggestion, SuggestionKind, Ticket, TicketEventKind
from voc.rules.scopes import Scope
from voc.rules.tokens import token_hash
from voc.store import events
from voc.store.database import transaction
from voc.store.events import Happening


def save_company(engine: Engine) -> None:
    """An open ticket of one loop, with its event and what was thought of its words."""
    with transaction(engine) as session:
        save_open_ticket(session)
        happened = [
            Happening(kind=TicketEventKind.LOOP_OPENED, loop_id=1, detail="issue"),
            Happening(kind=TicketEventKind.OPENED, ticket_id=1, loop_id=1, detail="delivery"),
        ]
        events.append(session, happened, actor="vocloop", now=NOW)
        about = {"statement_id": 1, "model": "m-1", "probability": 0.9}
        save(
            session,
            Suggestion.model_validate(
                {"kind": SuggestionKind.SENTIMENT, "value": "negative"} | about
            ),
            Suggestion.model_validate(
                {"kind": SuggestionKind.DEPARTMENT, "value": "delivery"} | about
            ),
            Label(
                statement_id=1,
                kind=SuggestionKind.DEPARTMENT,
                value="billing",
                actor="dee@shop.example",
                at=NOW,
            ),
        )


def save_twin(engine: Engine) -> int:
    """The number of another open ticket of the same customer; no loop waits for it."""
    with transaction(engine) as session:
        twin = Ticket.model_validate(
            session.get_one(Ticket, 1).model_dump(exclude={"id", "due_at"})
        )
        session.add(twin)
        session.flush()
        opened = Happening(kind=TicketEventKind.OPENED, ticket_id=twin.id, detail="delivery")
        events.append(session, [opened], actor="vocloop", now=NOW)
        return twin.id or 0


def save_token(
    engine: Engine, secret: str, scopes: Iterable[Scope] = tuple(Scope), **changes: object
) -> dict[str, str]:
    """A token with *scopes*; the header to come with."""
    values = {
        "name": secret.replace("_", "-"),
        "token_hash": token_hash(secret),
        "scopes": sorted(scopes),
        "created_by": "admin@shop.example",
        "created_at": NOW,
    }
    with transaction(engine) as session:
        session.add(ApiToken.model_validate(values | changes))
    return {"Authorization": f"Bearer {secret}"}

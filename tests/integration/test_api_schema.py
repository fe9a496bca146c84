"""Whatever is asked of the API: no crash, and no answer that its document does not name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import Engine
from sqlmodel import Session

from apps.desk.api.app import PREFIX
from tests.api_cases import save_company, save_token, save_twin
from tests.desk import database, make_desk
from tests.factories import NOW
from voc.actions import ticket_work, tickets
from voc.store import comments
from voc.store.database import transaction
from voc.store.listings import versions_of

TOKEN, ACTOR = "voc_schema", "token:voc-schema"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
LEFT_OUT: list[CheckFunction] = [positive_data_acceptance]
"""A schema cannot say which departments there are, or what is possible with a ticket now."""
WRONG, FITTING = 2, 3
"""Of each operation: how often it is asked wrongly, and how often rightly about what there is."""
SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
THERE_IS: Mapping[str, Any] = {
    "department": "billing",
    "owner": "delivery@shop.example",
    "words": "The courier calls at noon.",
    "into": 1,
    "until": "tomorrow",
    "day": None,
    "root_cause": "Closed.",
    "action_taken": "We delivered it.",
}
"""Values that a body can have here and now."""
BEFORE: Mapping[str, Callable[[Session, int], object]] = {
    "release": lambda session, key: tickets.accept(session, key, actor=ACTOR, now=NOW),
    "undo": lambda session, key: tickets.accept(session, key, actor=ACTOR, now=NOW),
    "take-back": lambda session, key: tickets.resolve(
        session, key, root_cause="Closed.", action_taken="None.", actor=ACTOR, now=NOW
    ),
    "remove-comment": lambda session, key: ticket_work.comment(
        session, key, "Mine.", actor=ACTOR, now=NOW
    ),
}
"""What has to have happened to a ticket so that a deed is possible."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with database(tmp_path_factory.mktemp("api")) as engine:
        save_company(engine)
        save_token(engine, TOKEN)
        yield engine


@pytest.fixture(scope="module")
def app(engine: Engine) -> FastAPI:
    seconds = count()  # each request is a second after the last: no limit is met
    return make_desk(engine, ticks=lambda: float(next(seconds)))


def test_every_answer_is_one_that_the_document_names(app: FastAPI, engine: Engine) -> None:
    document = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    answered: Counter[tuple[str, int]] = Counter()

    def ask(case: Case[Any], **headers: str) -> None:
        response = case.call_and_validate(headers=HEADERS | headers, excluded_checks=LEFT_OUT)
        answered[case.operation.label, response.status_code] += 1

    for operation in operations:
        turns = count()
        with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
            _try(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), ask, WRONG)
        right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        fits = partial(_made_to_fit, engine=engine, turns=turns)
        _try(right, lambda case, fits=fits: ask(case, **fits(case)), FITTING + 1)  # type: ignore[misc]
    assert {label for label, status in answered if status == 200} == {
        operation.label for operation in operations
    }
    assert {status for _, status in answered} >= {200, 404, 409, 412, 422, 428}


def _try(cases: SearchStrategy[Case[Any]], ask: Callable[[Case[Any]], None], times: int) -> None:
    @settings(SETTINGS, max_examples=times)
    @given(cases)
    def each(case: Case[Any]) -> None:
        ask(case)

    each()


def _made_to_fit(case: Case[Any], *, engine: Engine, turns: Iterator[int]) -> dict[str, str]:
    """Let it be about what there is, but for the last; the headers that it needs beside.

    It is about a ticket of its own: once it is all that the deed needs, once it is not, and once
    it is not what they know any more.
    """
    turn = next(turns)
    if turn >= FITTING or not case.path_parameters:
        return {}
    deed = case.operation.path.rpartition("/")[2]
    key, version, comment = _ticket_for(engine, deed if turn == 0 else "")
    case.path_parameters = {
        name: key if name == "ticket_id" else 1 for name in case.path_parameters
    }
    if isinstance(case.body, dict):
        fitting = {**THERE_IS, "comment": comment}
        case.body |= {name: fitting[name] for name in case.body if name in fitting}
    return {"If-Match": f'"{version - turn // 2}"'}


def _ticket_for(engine: Engine, deed: str) -> tuple[int, int, int]:
    """A ticket with which *deed* is possible, its version, and a comment that it has."""
    key = save_twin(engine)
    with transaction(engine) as session:
        if deed in BEFORE:
            BEFORE[deed](session, key)
        session.flush()
        written = [each.id or 0 for each in comments.of_ticket(session, key)]
        return key, versions_of(session, [key])[key], max(written, default=1)

"""Whatever is asked of the API: no crash, and no answer that its document does not name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
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

from apps.desk.api.app import PREFIX
from tests.api_cases import save_company, save_token
from tests.desk import database, make_desk

TOKEN = "voc_schema"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
LEFT_OUT: list[CheckFunction] = [positive_data_acceptance]
"""A schema cannot say which departments there are, or what is possible with a ticket now."""
SETTINGS = settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with database(tmp_path_factory.mktemp("api")) as engine:
        save_company(engine)
        save_token(engine, TOKEN)
        seconds = count()  # each request is a second after the last: no limit is met
        yield make_desk(engine, ticks=lambda: float(next(seconds)))


def test_every_answer_is_one_that_the_document_names(app: FastAPI) -> None:
    document = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)
    operations = [f.ok() for f in document.get_all_operations() if isinstance(f, Ok)]
    answered: Counter[tuple[str, int]] = Counter()
    for operation in operations:
        for mode in GenerationMode:
            _try(operation.as_strategy(generation_mode=mode), answered)
    assert {label for label, _ in answered} == {operation.label for operation in operations}
    assert {status for _, status in answered} >= {200, 404, 422}


def _try(cases: SearchStrategy[Case[Any]], answered: Counter[tuple[str, int]]) -> None:
    @SETTINGS
    @given(cases)
    def all_is_named(case: Case[Any]) -> None:
        response = case.call_and_validate(headers=HEADERS, excluded_checks=LEFT_OUT)
        answered[case.operation.label, response.status_code] += 1

    with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        all_is_named()

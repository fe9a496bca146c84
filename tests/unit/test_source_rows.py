"""A row as feedback: what the company file says of its columns, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sources.base import RawFeedback, RawIdentity, RawRating, Rejected
from sources.rows import FILE_TIME, TakenBack, content_id, read_row
from voc.company.sources import FileSource, MastodonSource, SourceConfig
from voc.models import Channel, IdentityKind, RatingScale

COLUMNS = {
    "text": ("title", "text"),
    "id": "id",
    "said_at": "at",
    "rating": "score",
    "email": "mail",
    "phone": "tel",
    "handle": "nick",
    "account": "customer",
    "consent": "may",
    "value": "worth",
    "country": "land",
    "url": "link",
    "deleted": "gone",
}
ROW: dict[str, Any] = {
    "id": "N-1",
    "at": "05.01.2026 19:30",
    "score": "2,0",
    "title": "Late",
    "text": "Cafe\u0301 closed\x00",
    "mail": "kim@example.com",
    "tel": "",
    "nick": "@kim",
    "customer": "C-1",
    "may": "Ja",
    "worth": "1.200,50",
    "land": "de",
    "link": "javascript:alert(1)",
    "gone": "",
    "touch": "app",
}


def source(**changes: Any) -> FileSource:
    columns = {**COLUMNS, **changes.pop("columns", {})}
    fields = {
        "kind": "file",
        "id": "csat",
        "channel": "survey",
        "path": "inbox/*.csv",
        "decimal": ",",
        "timezone": "Europe/Berlin",
        "rating_scale": "csat",
        "handle_platform": "mastodon",
        "columns": columns,
    }
    return FileSource.model_validate({**fields, **changes})


def read(config: FileSource | None = None, **cells: Any) -> RawFeedback | TakenBack | Rejected:
    return read_row({**ROW, **cells}, "t.csv line 2", config or source())


def test_a_row_says_everything_that_its_columns_say() -> None:
    assert read() == RawFeedback(
        external_id="N-1",
        verbatim="Late\n\nCafé closed",
        said_at=datetime(2026, 1, 5, 18, 30, tzinfo=UTC),
        channel=Channel.SURVEY,
        rating=RawRating(value=2.0, scale=RatingScale.CSAT),
        identities=(
            RawIdentity(kind=IdentityKind.ACCOUNT, value="C-1"),
            RawIdentity(kind=IdentityKind.EMAIL, value="kim@example.com"),
            RawIdentity(kind=IdentityKind.HANDLE, value="mastodon:@kim"),
        ),
        country="DE",
        value=1200.5,
        consent=True,
    )


SECRET = "kim@secret.example"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"id": " "}, "no id"),
        ({"id": SECRET + "x" * 300}, "longer than 255"),
        ({"at": SECRET}, "not readable"),
        ({"at": "31.02.2026 25:61"}, "not readable"),
        ({"at": ""}, "no time"),
        ({"score": SECRET}, "not a number"),
        ({"score": "2.0"}, "not a number"),
        ({"score": "11"}, "outside of its scale: csat is 1 to 5"),
        ({"score": "", "title": "", "text": "\u200b \x00"}, "nothing said"),
        ({"text": SECRET * 1000}, "longer than 10,000"),
        ({"text": SECRET * 1_000_000}, "longer than 10,000"),
    ],
)
def test_what_is_no_feedback_is_refused_without_its_words(
    cells: dict[str, str], reason: str
) -> None:
    refused = read(**cells)
    assert isinstance(refused, Rejected)
    assert reason in refused.reason
    assert SECRET not in refused.reason + refused.place
    assert len(refused.reason) <= 255
    assert json.loads(refused.raw)["customer"] == "C-1"


@pytest.mark.parametrize("text", ["😡😡😡", "x", "{{7*7}}", "=HYPERLINK(1)", "x" * 9_900])
def test_odd_texts_are_feedback(text: str) -> None:
    found = read(text=text, score="")
    assert isinstance(found, RawFeedback)
    assert found.verbatim.endswith(text)


def test_a_rating_without_words_is_feedback() -> None:
    found = read(title="", text="")
    assert isinstance(found, RawFeedback)
    assert found.verbatim == ""


@pytest.mark.parametrize(
    ("said", "consent"),
    [("yes", True), ("JA", True), ("1", True), (True, True), ("no", False), ("", None)],
)
def test_consent_is_what_the_customer_said_and_silence_is_not_no(
    said: str | bool, consent: bool | None
) -> None:
    found = read(may=said)
    assert isinstance(found, RawFeedback)
    assert found.consent is consent


def test_a_row_that_was_taken_back_is_a_deletion() -> None:
    assert read(gone="yes", text="") == TakenBack("N-1")


def test_without_an_id_column_the_content_is_the_id() -> None:
    config = source(columns={"id": None})
    ids = {
        found.external_id
        for found in (
            read(config),
            read(config, new_column=""),
            read(config, text="Café closed"),
            read(config, text="Café open"),
        )
        if isinstance(found, RawFeedback)
    }
    assert len(ids) == 2
    assert all(len(each) == 64 for each in ids)


def test_the_files_own_time_stands_in_and_is_no_part_of_the_id() -> None:
    config = source(columns={"said_at": None})
    found = read(config, **{FILE_TIME: "2026-01-09T10:00:00+00:00"})
    assert isinstance(found, RawFeedback)
    assert found.said_at == datetime(2026, 1, 9, 10, tzinfo=UTC)
    assert content_id({"a": "1", FILE_TIME: "x"}) == content_id({"a": "1"})


cells = st.dictionaries(
    st.sampled_from([*ROW]),
    st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans()),
)


@given(cells)
def test_any_row_is_read_or_refused_and_can_be_stored(changes: dict[str, Any]) -> None:
    found = read(**changes)
    if isinstance(found, RawFeedback):
        found.verbatim.encode()
        assert "\x00" not in found.verbatim + found.external_id
        assert len(found.external_id) <= 255
    elif isinstance(found, Rejected):
        found.raw.encode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "/etc/passwd"},
        {"path": "../other/x.csv"},
        {"encoding": "klingon"},
        {"encoding": "hex"},
        {"delimiter": ";;"},
        {"rating_scale": None},
        {"handle_platform": None},
        {"timezone": "Mars/Olympus"},
        {"columns": {"text": ""}},
        {"colour": "red"},
    ],
)
def test_a_wrong_company_file_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**wrong)


@pytest.mark.parametrize(
    "url",
    ["http://x.example", "ftp://x.example", "https://kim:pw@x.example", "http://10.0.0.1", "x"],
)
def test_services_are_asked_over_https_only(url: str) -> None:
    with pytest.raises(ValidationError):
        MastodonSource(kind="mastodon", id="m", server="x.example", tags=("a",), base_url=url)


def test_the_server_is_its_own_address_unless_another_is_given() -> None:
    found = MastodonSource.model_validate(
        {"kind": "mastodon", "id": "m", "server": "x.example", "tags": ["#acme", "acme"]}
    )
    assert found.base_url == "https://x.example"
    assert found.tags == ("acme",)


def test_every_field_of_the_company_file_explains_itself() -> None:
    schema = TypeAdapter(SourceConfig).json_schema()
    silent = [
        f"{name}.{field}"
        for name, definition in schema["$defs"].items()
        for field, about in definition.get("properties", {}).items()
        if not about.get("description")
    ]
    assert not silent

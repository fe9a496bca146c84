"""Rows that may be there already, on both databases."""

from sqlmodel import select

from tests.story import Story
from voc.models import Embedding
from voc.store.database import transaction
from voc.store.upsert import insert_new


def row(key: str, vector: bytes = b"first") -> dict[str, str | bytes]:
    return {"text_hash": key, "model": "m", "vector": vector}


def test_only_what_is_new_is_stored_and_counted(story: Story) -> None:
    with transaction(story.place.engine) as session:
        assert insert_new(session, Embedding, []) == 0
        assert insert_new(session, Embedding, [row("b"), row("d")]) == 2

    rows = [row(key, b"second") for key in "abcbd"]
    with transaction(story.place.engine) as session:
        assert insert_new(session, Embedding, rows) == 2
    with transaction(story.place.engine) as session:
        assert insert_new(session, Embedding, rows) == 0
        assert insert_new(session, Embedding, [row("d")]) == 0
        stored = dict(session.exec(select(Embedding.text_hash, Embedding.vector)).all())

    assert stored == {"a": b"second", "b": b"first", "c": b"second", "d": b"first"}


def test_the_count_is_that_of_all_rows(story: Story) -> None:
    rows = [row(str(key)) for key in range(2500)]

    with transaction(story.place.engine) as session:
        assert insert_new(session, Embedding, rows) == 2500

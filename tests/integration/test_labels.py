"""What people say teaches: re-assignments, corrections and imported labels reach the routing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, select
from typer.testing import CliRunner

from apps.cli.main import app
from nlp.routing import training
from nlp.routing.training import Trained
from nlp.understand import Models
from tasks import learn_router, models, route, understand
from tasks.labels import LabelledWords, import_texts
from tasks.learn_router import Refit, refit_router, router_in_use
from tests.story import START, Story, fake_models
from voc.actions import labels, tickets
from voc.actions.erase import erase_feedback
from voc.errors import ConfigurationError, NotFoundError, VocError
from voc.models import (
    Embedding,
    Feedback,
    Label,
    LabelledText,
    Statement,
    Suggestion,
    SuggestionKind,
    Ticket,
    TrainedRouter,
)
from voc.store.database import transaction
from voc.store.feedback import IN_A_QUERY
from voc.store.labels import imported_values, keep_imported, taught

DEPARTMENT = SuggestionKind.DEPARTMENT
FIRST = ("desk", "lamp", "sofa", "shelf", "chair", "table", "bench", "bed", "stool", "couch")


@pytest.fixture
def wired(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The same stand-in models wherever models are built, with the router in use."""
    made = fake_models(story.place.company)

    def build(_company: object, router: object = None) -> Models:
        in_use = router or router_in_use(story.place)
        return replace(made, subjects=made.subjects.with_router(in_use))

    for module in (understand, learn_router, models):
        monkeypatch.setattr(module, "build_models", build)
    return story


def says_and_routes(story: Story, *texts: str) -> None:
    """Each from a customer of their own."""
    for text in texts:
        story.says(text, email=f"{text.replace(' ', '.')}@example.com")
    understand.unlearned_models.cache_clear()
    understand.understand_range.fn(0, 10**9)
    route.route_range.fn(0, 10**9, story.now)


def complaints(*things: str) -> list[str]:
    return [f"courier assembly of {thing} was broken" for thing in things]


def reassigns(story: Story, ticket: Ticket, department: str) -> None:
    with transaction(story.place.engine) as session:
        tickets.reassign(
            session,
            ticket.id or 0,
            department,
            story.place.company,
            actor="dee@corner.example",
            now=story.now,
        )


def refits(story: Story, **options: bool) -> Refit:
    subjects = learn_router.build_models(story.place.company).subjects
    return refit_router(story.place, subjects, now=story.now, **options)


def imports(story: Story, *rows: tuple[str, str]) -> dict[str, int]:
    encoder = learn_router.build_models(story.place.company).subjects.encoder
    counts = import_texts(
        story.place,
        [LabelledWords(text=text, value=value) for text, value in rows],
        DEPARTMENT,
        encoder,
        actor="ops",
        now=story.now,
    )
    return {kind: n for kind, n in counts.items() if n}


def teaching(story: Story) -> list[tuple[str, str]]:
    with transaction(story.place.engine) as session:
        return [(each.text, each.value) for each in taught(session, DEPARTMENT)]


# Re-assignments


def test_a_reassignment_teaches(wired: Story) -> None:
    """What delivery handed over to billing goes there by itself after a refit."""
    says_and_routes(wired, *complaints(*FIRST))
    assert {ticket.department for ticket in wired.rows(Ticket)} == {"delivery"}
    for ticket in wired.rows(Ticket):
        reassigns(wired, ticket, "billing")

    found = refits(wired)
    says_and_routes(wired, *complaints("mirror", "wardrobe"), "late parcel")

    assert found.comparisons["department"].is_kept
    assert [t.department for t in wired.rows(Ticket)[-3:]] == ["billing", "billing", "delivery"]


def test_every_suggestion_names_the_router_that_made_it(wired: Story) -> None:
    says_and_routes(wired, *complaints(*FIRST))
    for ticket in wired.rows(Ticket):
        reassigns(wired, ticket, "billing")
    version = refits(wired).version

    says_and_routes(wired, *complaints("mirror"))

    *before, _, after = [s.model for s in wired.rows(Suggestion) if s.kind is not _SENTIMENT]
    assert version.startswith("router@")
    assert after.startswith(version)
    assert not any(name.startswith("router@") for name in before[:-1])


_SENTIMENT = SuggestionKind.SENTIMENT


def test_a_reassignment_labels_every_statement_of_the_ticket(wired: Story) -> None:
    says_and_routes(wired, "The courier was late. The parcel was broken.")

    reassigns(wired, wired.ticket(), "billing")

    statements = [row.id for row in wired.rows(Statement)]
    assert [label.statement_id for label in wired.rows(Label)] == statements
    assert len(statements) == 2


# What teaches


def test_a_resolved_ticket_confirms_what_was_suggested(wired: Story) -> None:
    says_and_routes(wired, "the courier was late", "the courier never came")
    wired.resolves(wired.rows(Ticket)[0])

    assert teaching(wired) == [("the courier was late", "delivery")]


def test_the_newest_label_of_a_statement_wins(wired: Story) -> None:
    says_and_routes(wired, "the courier was late")
    [statement] = wired.rows(Statement)
    for value in ("billing", "triage", "delivery"):
        with transaction(wired.place.engine) as session:
            labels.set_label(
                session,
                statement.id or 0,
                DEPARTMENT,
                value,
                wired.place.company,
                actor="ops",
                now=wired.now,
            )

    assert teaching(wired) == [("the courier was late", "delivery")]


def test_a_correction_names_what_is_possible(wired: Story) -> None:
    says_and_routes(wired, "the courier was late")
    company = wired.place.company
    with transaction(wired.place.engine) as session:
        for kind, value in [(DEPARTMENT, "garden"), (_SENTIMENT, "angry")]:
            with pytest.raises(ConfigurationError, match="use one of"):
                labels.set_label(session, 1, kind, value, company, actor="ops", now=wired.now)
        with pytest.raises(NotFoundError, match="no statement 99"):
            labels.set_label(
                session, 99, _SENTIMENT, "positive", company, actor="ops", now=wired.now
            )
        labels.set_label(session, 1, _SENTIMENT, "positive", company, actor="ops", now=wired.now)

    assert [(label.kind, label.value) for label in wired.rows(Label)] == [(_SENTIMENT, "positive")]


# Imported texts


def test_importing_twice_is_harmless_and_the_last_label_counts(wired: Story) -> None:
    rows = [("charged twice", "billing"), ("courier lost it", "delivery"), (" ?! ", "billing")]

    assert imports(wired, *rows) == {"new": 2, "without_words": 1}
    assert imports(wired, *rows) == {"unchanged": 2, "without_words": 1}
    assert imports(wired, ("charged twice", "delivery")) == {"changed": 1}
    assert sorted(teaching(wired)) == [
        ("charged twice", "delivery"),
        ("courier lost it", "delivery"),
    ]


def test_many_imported_texts_are_kept_in_one_order_and_found_again(wired: Story) -> None:
    """In the order of their hashes: two imports at once never wait for each other."""
    hashes = [f"{n:064}" for n in range(IN_A_QUERY + 2)]
    for value in ("billing", "delivery"):
        with transaction(wired.place.engine) as session:
            keep_imported(session, [labelled(key, value) for key in reversed(hashes)])
            assert imported_values(session, DEPARTMENT, hashes) == dict.fromkeys(hashes, value)
            assert imported_values(session, DEPARTMENT, hashes[:1]) == {hashes[0]: value}
            assert imported_values(session, _SENTIMENT, hashes) == {}

    rows = sorted(wired.rows(LabelledText), key=lambda row: row.id or 0)
    assert [row.text_hash for row in rows] == hashes


def labelled(text_hash: str, value: str) -> LabelledText:
    return LabelledText(
        text="late", text_hash=text_hash, kind=DEPARTMENT, value=value, actor="ops", at=START
    )


def test_personal_data_in_imported_texts_is_masked(wired: Story) -> None:
    imports(wired, ("refund it to kim.lee@example.com please", "billing"))

    [row] = wired.rows(LabelledText)
    assert row.text == "refund it to please"
    assert [each.text_hash for each in wired.rows(Embedding)] == [row.text_hash]


def test_imported_labels_teach(wired: Story) -> None:
    imports(
        wired,
        *((text, "billing") for text in complaints(*FIRST)),
        *((f"late parcel {thing}", "delivery") for thing in FIRST),
    )
    refits(wired)

    says_and_routes(wired, *complaints("mirror"))

    assert wired.ticket().department == "billing"


# Refitting


def test_nothing_new_is_not_learned_again(wired: Story) -> None:
    imports(wired, *((text, "billing") for text in complaints(*FIRST)))
    first, second = refits(wired), refits(wired)

    assert (first.is_needed, second.is_needed) == (True, False)
    assert first.version == second.version != ""
    assert len(wired.rows(TrainedRouter)) == 1
    assert refits(wired, again=True).version == first.version
    assert [bool(row.weights) for row in wired.rows(TrainedRouter)] == [False, True]


def test_without_labels_the_descriptions_stay(wired: Story) -> None:
    found = refits(wired)

    assert found.skipped == {"topic": "no labels", "department": "no labels"}
    assert found.version == ""
    assert router_in_use(wired.place) is None


def test_vectors_that_were_erased_are_made_again(wired: Story) -> None:
    imports(wired, *((text, "billing") for text in complaints(*FIRST)))
    with transaction(wired.place.engine) as session:
        for row in session.exec(select(Embedding).order_by(col(Embedding.text_hash))):
            session.delete(row)

    assert refits(wired).comparisons["department"].figures.labels == len(FIRST)


def erases(story: Story, which: slice = slice(None)) -> None:
    """What customers said is gone at its source."""
    with transaction(story.place.engine) as session:
        for row in session.exec(select(Feedback).order_by(col(Feedback.id))).all()[which]:
            erase_feedback(session, row, now=story.now)


def test_what_was_learned_from_erased_words_does_not_stay_for_being_better(
    wired: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_and_routes(wired, *complaints(*FIRST))
    for ticket in wired.rows(Ticket):
        reassigns(wired, ticket, "billing")
    refits(wired)
    before = router_in_use(wired.place)
    assert before is not None
    assert before.heads["department"].has_seen(complaints(FIRST[0])).all()
    real = training.compared
    monkeypatch.setattr(training, "compared", lambda *args: replace(real(*args), is_kept=False))

    erases(wired, slice(1))
    found = refits(wired)

    assert not found.comparisons["department"].is_kept
    assert router_in_use(wired.place) is None


def test_erasing_what_a_customer_said_erases_the_same_text_that_was_imported(wired: Story) -> None:
    imports(wired, ("courier was late", "billing"), ("charged twice", "billing"))
    says_and_routes(wired, "courier was late")

    erases(wired)

    assert teaching(wired) == [("charged twice", "billing")]


def during_training(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    real = learn_router.train

    def train(*args: Any, **options: Any) -> Trained:
        monkeypatch.setattr(learn_router, "train", real)
        happens()
        return real(*args, **options)

    monkeypatch.setattr(learn_router, "train", train)


def test_an_erasure_during_a_refit_drops_it(wired: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    says_and_routes(wired, *complaints(*FIRST))
    for ticket in wired.rows(Ticket):
        reassigns(wired, ticket, "billing")
    during_training(monkeypatch, lambda: erases(wired))

    with pytest.raises(VocError, match="erased while routing was learned"):
        refits(wired)

    assert wired.rows(TrainedRouter) == []
    assert wired.rows(Embedding) == []


def test_a_refit_that_was_overtaken_drops_what_it_learned(
    wired: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(wired, *((text, "billing") for text in complaints(*FIRST)))
    during_training(monkeypatch, lambda: refits(wired))

    with pytest.raises(VocError, match="another refit"):
        refits(wired)

    [row] = wired.rows(TrainedRouter)
    assert row.weights


def test_neither_a_refit_nor_an_explanation_stores_vectors(wired: Story) -> None:
    imports(wired, *((text, "billing") for text in complaints(*FIRST)))
    with transaction(wired.place.engine) as session:
        session.exec(delete(Embedding))

    refits(wired)
    told = voc("explain", "--text", "courier assembly of mirror was broken")[1]

    assert wired.rows(Embedding) == []
    assert ", labelled:" not in told


def test_a_brand_name_that_is_new_is_learned_without(wired: Story) -> None:
    """Two texts become one, under another hash than they were stored with."""
    wired.now += timedelta(days=1)
    imports(wired, ("Corvex courier came late", "delivery"))
    wired.now += timedelta(days=1)
    imports(wired, ("courier came late", "billing"))
    company = wired.place.company
    about = company.company.model_copy(update={"brand_names": ["Corvex"]})
    place = replace(wired.place, company=company.model_copy(update={"company": about}))

    found = learn_router.labelled_examples(
        place, "department", learn_router.build_models(company).subjects
    )

    assert (found.texts, found.labels) == (["courier came late"], ["billing"])
    assert found.vectors.shape[0] == 1


def test_the_task_tells_counts_only(wired: Story) -> None:
    imports(wired, *((text, "billing") for text in complaints(*FIRST)))

    assert learn_router.refit.fn(wired.now) == {"labels": 10, "kept": 1, "not_better": 0}
    assert learn_router.refit.fn(wired.now) == {"labels": 0, "kept": 0, "not_better": 0}


# The command line


def voc(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_labels_are_imported_learned_and_explained(wired: Story, tmp_path: Path) -> None:
    lines = [f"{text};billing" for text in complaints(*FIRST)]
    file = tmp_path / "labelled.csv"
    file.write_text("\n".join(["words;label", *lines]), encoding="utf-8")

    assert "10 new" in voc("label", "import", str(file), "--text-column", "words")[1]
    code, told = voc("label", "refit")
    assert code == 0
    assert "learned from 10 labels" in told
    code, told = voc("explain", "--text", "courier assembly of mirror was broken")
    assert code == 0
    assert "department: billing" in told
    assert "billing, labelled" in told
    assert '"assembly" speaks for billing' in told


def test_a_statement_is_corrected_and_explained(wired: Story) -> None:
    says_and_routes(wired, "the courier was late")

    assert voc("label", "set", "1", "topic", "wrong_charge") == (
        0,
        "Statement 1: topic is wrong_charge.\n",
    )
    code, told = voc("explain", "1")
    assert code == 0
    assert "descriptions only" in told
    assert '"courier" speaks for delivery' in told


def test_what_no_model_was_sure_of_waits_for_a_person(wired: Story) -> None:
    says_and_routes(wired, "hm zebra quartz", "the courier was late")

    code, told = voc("label", "review", "--kind", "department")
    assert code == 0
    assert '"hm zebra quartz"' in told
    assert "the courier was late" not in told
    number = told.split()[0]
    assert "statements: 2 (" in voc("ticket", "show", "1")[1]

    voc("label", "set", number, "department", "billing")
    assert "hm zebra quartz" not in voc("label", "review", "--kind", "department")[1]
    assert "sure of every sentiment" in voc("label", "review")[1]


def test_a_label_that_nobody_knows_is_refused_with_its_row(wired: Story, tmp_path: Path) -> None:
    file = tmp_path / "labelled.csv"
    file.write_text("text;label\nlate;delivery\nplants;garden\n", encoding="utf-8")

    code, told = voc("label", "import", str(file))

    assert code == 2
    assert "line 3: no 'garden'" in told
    assert "delivery, billing, triage" in told
    assert wired.rows(LabelledText) == []


def labelled_file(tmp_path: Path, content: str) -> str:
    file = tmp_path / "labelled.csv"
    file.write_text(content, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("label;n\ndelivery;1\n", ("--text-column", "label"), "cannot be both text and label"),
        ("text;label\n", (), "has no rows below the header"),
        ("text;label\nlate;my secret words\n", (), "line 2: no label, but 15 characters"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_without_its_words(
    wired: Story, tmp_path: Path, content: str, options: tuple[str, ...], told: str
) -> None:
    code, said = voc("label", "import", labelled_file(tmp_path, content), *options)

    assert code == 2
    assert told in said
    assert "secret" not in said
    assert wired.rows(LabelledText) == []


def test_a_label_is_kept_as_it_was_checked(wired: Story, tmp_path: Path) -> None:
    file = labelled_file(tmp_path, "text;label\nit came late;delivery\u200b\n")

    assert voc("label", "import", file)[0] == 0
    assert [row.value for row in wired.rows(LabelledText)] == ["delivery"]


def test_a_sentiment_may_be_written_in_any_case(wired: Story, tmp_path: Path) -> None:
    says_and_routes(wired, "the courier was late")
    file = labelled_file(tmp_path, "text;label\nit came late;NEGATIVE\n")

    assert voc("label", "import", file, "--kind", "sentiment")[0] == 0
    assert [row.value for row in wired.rows(LabelledText)] == ["negative"]
    assert voc("label", "set", "1", "sentiment", "Positive")[1].endswith("is positive.\n")
    assert [label.value for label in wired.rows(Label)] == ["positive"]


def test_a_broken_file_erases_nothing(wired: Story, tmp_path: Path) -> None:
    imports(wired, ("charged twice", "billing"))
    file = labelled_file(tmp_path, "text;n\ncharged twice;1\nlate;2;3;4\n")

    code, told = voc("label", "forget", file, "--text-column", "text")

    assert code == 2
    assert "nothing was erased" in told
    assert len(wired.rows(LabelledText)) == 1


def test_imported_texts_are_forgotten_with_their_vectors(wired: Story, tmp_path: Path) -> None:
    says_and_routes(wired, "courier was late")
    imports(wired, ("courier was late", "delivery"), ("charged twice", "billing"), ("ok", "triage"))
    file = labelled_file(tmp_path, "text;n\ncourier was late;1\ncharged  twice;2\nnever;3\n")

    code, told = voc("label", "forget", file, "--text-column", "text")

    assert code == 0
    assert "3 texts in the file: 2 labels erased" in told
    assert [row.text for row in wired.rows(LabelledText)] == ["ok"]
    said = {row.text_hash for row in wired.rows(Statement)}
    kept = {row.text_hash for row in wired.rows(LabelledText)}
    assert {row.text_hash for row in wired.rows(Embedding)} == said | kept


@pytest.mark.parametrize("words", [(), ("1", "--text", "late")])
def test_explaining_needs_a_statement_or_a_text(wired: Story, words: tuple[str, ...]) -> None:
    code, told = voc("explain", *words)

    assert code == 2
    assert "--text" in told

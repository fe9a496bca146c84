"""`voc theme`, as it is typed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from apps.cli.main import app
from tasks import learn
from tasks import themes as finding
from tasks.workplace import workplace
from tests.story import Story, write_company
from tests.theme_cases import anywhere, around, common_words, says

KINDS = ("parcel late", "refund lost", "courier rude", "shoes fit", "website slow", "coupon bad")


def voc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Six themes of twelve statements, and eight statements that fit none."""
    monkeypatch.setattr(finding, "label_words", common_words)
    monkeypatch.setattr(finding, "encoder_version", lambda _place: "fake-1")
    monkeypatch.setattr(learn, "encoder_version", lambda _place: "fake-1")
    write_company(home)
    story = Story(workplace())
    now = story.place.clock()
    for kind, words in enumerate(KINDS):
        texts = [f"{words} [name] {number}" for number in range(12)]
        vectors = around(kind, 12, seed=kind)
        says(story.place.engine, vectors, texts, at=now - timedelta(days=1 + kind))
    says(story.place.engine, anywhere(8, seed=1), "something else", at=now)
    finding.assign_themes.fn(0, 10**9)
    assert learn.rebuild_themes.fn(now)["born"] == len(KINDS)
    finding.assign_themes.fn(0, 10**9)
    return story


def test_a_company_without_themes_is_told_when_there_will_be_some(home: Path) -> None:
    write_company(home)

    listed = voc("theme", "list")

    assert listed.exit_code == 0, listed.output
    assert "No themes yet" in listed.stdout
    assert "Unassigned: 0.0%" in listed.stdout
    missing = voc("theme", "show", "1")
    assert missing.exit_code == 1
    assert missing.stderr == "voc: there is no theme 1; `voc theme list` shows those there are\n"


def test_the_list_shows_words_sizes_and_what_fits_nowhere(shop: Story) -> None:
    listed = voc("theme", "list", "--limit", "5")

    assert listed.exit_code == 0, listed.output
    assert sum(words.split()[0] in listed.stdout for words in KINDS) == 5
    assert "15.0%" in listed.stdout  # 12 of 80
    assert "+12" in listed.stdout
    assert "The first 5 of 6" in listed.stdout
    assert "80 statements: 72 in themes, 8 wait for one" in listed.stdout
    assert "Unassigned: 10.0%" in listed.stdout


def test_a_theme_is_shown_named_and_promoted(shop: Story) -> None:
    named = voc("theme", "name", "1", "Late [parcels]", "--as", "dee")
    promoted = voc("theme", "promote", "1", "late_parcel", "--as", "dee")
    again = voc("theme", "promote", "1", "late_parcel", "--as", "dee")
    shown = voc("theme", "show", "1")

    assert named.stdout == "Theme 1 is called Late [parcels].\n"
    assert promoted.stdout == again.stdout == "Theme 1 belongs to late_parcel.\n"
    assert "Theme 1: Late [parcels], active" in shown.stdout
    assert "topic: late_parcel" in shown.stdout
    assert "[name]" in shown.stdout  # as stored: masked
    lines = [line.split() for line in shown.stdout.splitlines()]
    told = [line[2] for line in lines if line and line[0].startswith("20")]
    assert told == ["born", "renamed", "promoted"]
    assert "Late [parcels]" in voc("theme", "list").stdout


def test_an_unknown_topic_is_told_with_those_there_are(shop: Story) -> None:
    promoted = voc("theme", "promote", "1", "parcels")

    assert promoted.exit_code == 2
    assert promoted.stderr == ("voc: no topic 'parcels'; use one of: late_parcel, wrong_charge\n")

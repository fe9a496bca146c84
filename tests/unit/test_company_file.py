"""What a company file may say, and how each mistake is told."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from notifications.contexts import LANGUAGES
from voc.company import Company, load_company
from voc.company.advice import warnings
from voc.company.fitting import missing_secrets, unwritten_languages
from voc.company.load import CompanyFileError
from voc.company.patterns import check_pattern
from voc.company.reference import DOCUMENT, SCHEMA, document_text, fill, models, schema_text

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "voc" / "company" / "starter" / "voc.yaml"

NOTHING: dict[str, str] = {}
GOOD = """\
company:
  name: Shop
  sender: Shop <care@shop.example>
  postal_address: 1 High Street
departments:
  - id: delivery
    name: Delivery
    description: Parcels.
    owners:
      - {name: Desk, email: desk@shop.example}
  - id: triage
    name: Triage
    description: The rest.
    owners:
      - {name: CX, email: cx@shop.example}
topics:
  - id: late
    department: delivery
    description: It came late.
sources:
  - id: survey
    kind: file
    channel: survey
    path: inbox/*.csv
    columns:
      text: comment
routing:
  rules:
    - name: late parcels
      when: {topic: late}
      department: delivery
follow_up:
  languages: [en]
schedules:
  loop: "0 * * * *"
"""


def mistakes_in(text: str, folder: Path, **options: Any) -> list[str]:
    """What is told of *text*, without the name of the file; nothing if it is right."""
    path = folder / "voc.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load_company(path, **options)
    except CompanyFileError as exc:
        return [line.removeprefix(str(path)).removeprefix(", ") for line in str(exc).splitlines()]
    return []


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def line_with(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_file_that_the_mistakes_are_made_in_is_right(tmp_path: Path) -> None:
    assert mistakes_in(GOOD, tmp_path) == []


SURVEY, POLICY = "  - id: survey", "follow_up:"


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("delivery\nfollow", "delivry\nfollow", ": delivry", "did you mean 'delivery'"),
        ("{topic: late}", "{topic: lat}", "when:", "did you mean 'late'"),
        ("{topic: late}", "{source: nps}", "when:", "there are: survey"),
        ("{topic: late}", "{touchpoint: shop}", "when:", "there are none"),
        ("{topic: late}", "{}", "when:", "at least one condition"),
        ('"0 * * * *"', '"0 25 * * *"', "  loop:", "is no cron expression; write five fields"),
        ('"0 * * * *"', "hourly", "  loop:", "such as '0 6 * * mon-fri'"),
        ('loop: "0 * * * *"', "timezone: Europe/Berln", "Berln", "such as Europe/Berlin"),
        ('loop: "0 * * * *"', "timezone: Europe", "timezone", "is no time zone"),
        ("      text: comment", "      id: nr", "columns:", "'text' is missing: What the customer"),
        ("    columns:\n      text: comment\n", "", SURVEY, "'columns' is missing: Which column"),
        ("path: inbox", "path: /inbox", "    path:", "relative to the company file"),
        ("    channel: survey", "    chanel: survey", "chanel", "did you mean 'channel'"),
        ("channel: survey", "channel: telepathy", "channel:", "'survey', 'review'"),
        ("    kind: file", "    kind: fille", "kind:", "did you mean 'file'"),
        ("    kind: file\n", "", SURVEY, "use one of: file, itunes, mastodon"),
        ("- id: late\n", "- id: late\n    department_: x\n", "department_", "did you mean 'dep"),
        ("    department: delivery\n    desc", "    desc", "- id: late", "'department' is missing"),
        ("- id: triage", "- id: delivery  # again", "# again", "is used twice"),
        ("  - id: triage", "  - id: rest", "departments:", "one must have the id 'triage'"),
        ("- id: late", "- id: Late", "- id: Late", "Small letters, digits and _"),
        ("desk@shop.example", "desk", "{name: Desk", "'desk' is no e-mail address"),
        ("desk@shop.example", "a@shop..example", "{name: Desk", "is no e-mail address"),
        ("Shop <care@shop.example>", "Care", "sender:", "is no e-mail address"),
        ("[en]", "[english]", "languages:", "two small letters"),
        ("[en]", "[en, en]", POLICY, "names one twice"),
        ("[en]", "[]", "languages:", "needs at least one"),
        ("languages: [en]", 'quiet_from: "21:00"', POLICY, "need both"),
        (
            "languages: [en]",
            'quiet_from: "21:00"\n  quiet_until: "21:00"',
            POLICY,
            "are the same",
        ),
        ("languages: [en]", "quiet_from: late", "quiet_from", 'write a time such as "08:30"'),
        ("languages: [en]", "cap_7_days: 5\n  cap_30_days: 2", POLICY, "30 days hold those 7"),
        ("languages: [en]", "consent_required: maybe", "maybe", "write true or false"),
        (
            "languages: [en]",
            "reminder_after_days: 9\n  close_silent_after_days: 8",
            POLICY,
            "reminder_after_days must be less",
        ),
        ("  name: Shop", "  order_number_patterns: ['(']", "patterns", "no regular expression"),
        ("  name: Shop", "  order_number_patterns: ['(A+)+']", "patterns", "can run away"),
        ("  name: Shop", "  phone_regions: [gb]", "regions", "two capital letters"),
        ("  name: Shop", "  name: 5", "name: 5", "put what looks like a number into quotes"),
        ("text: comment", "text: c\n      rating: r", SURVEY, "needs rating_scale"),
        (
            "    columns:\n      text: comment",
            "    consent_yes: []\n    columns:\n      text: c\n      consent: d",
            SURVEY,
            "the words that mean yes",
        ),
        ('"0 * * * *"', '"0 1 * * *"\n  loop: "0 2 * * *"', "0 2", "stands in line 35 already"),
        ("company:\n", "companies:\n", "companies:", "did you mean 'company'"),
    ],
)
def test_a_mistake_names_its_line_and_what_would_be_right(
    old: str, new: str, at: str, says: str, tmp_path: Path
) -> None:
    text = changed(old, new)

    told = mistakes_in(text, tmp_path)

    (hit,) = [problem for problem in told if says in problem]
    assert hit.startswith(f"line {line_with(text, at)}: ")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        GOOD.replace("desk@shop.example", "desk")
        .replace("topic: late", "topic: lat")
        .replace("department: delivery\nfollow", "department: nobody\nfollow")
        .replace("languages: [en]", "languages: [en, fr]")
        .replace('"0 * * * *"', "hourly\n  loop: hourly")
    )

    told = mistakes_in(text, tmp_path, also=lambda c: unwritten_languages(c, LANGUAGES))

    lines = [int(re.match(r"line (\d+)", each)[1]) for each in told]  # type: ignore[index]
    assert lines == sorted(lines)
    for part in ("'desk'", "'lat'", "'nobody'", "'fr'", "'hourly'", "'loop' stands"):
        assert any(part in each for each in told), part
    assert len(told) == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": is empty"),
        ("# nothing\n", ": is empty"),
        ("- a\n", ": holds no keys"),
        ("company:\n\tname: x\n\tsender: y\n", "line 2: a tab stands before the text"),
        ("company:\n\tname: x\n\tsender: y\n", "line 3: a tab stands before the text"),
        ("company: [a\n", "line 2: not YAML"),
        ("company:\n  name: a: b\n", "line 2: not YAML: mapping values are not allowed here; put"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: !!python/object:os.system x\n", "not YAML"),
        ("a:\n  b: \x07\n", "line 2: a character that nobody sees"),
        ("a: &a [*a]\n", "'a' is not known here"),
        ("company: &a {b: *a}\n", "line 1"),
        ("1: 2\n", "line 1"),
        ("[" * 5000, "nested far too deeply"),
    ],
)
def test_what_is_no_company_file_at_all_is_told_in_words(
    text: str, says: str, tmp_path: Path
) -> None:
    assert any(says in problem for problem in mistakes_in(text, tmp_path))


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("company: é".encode("cp1252"))

    for name, says in (("no", "no such file"), ("latin", "not UTF-8"), (".", "cannot be read")):
        with pytest.raises(CompanyFileError, match=says):
            load_company(tmp_path / name)


def test_a_token_in_the_wrong_place_is_not_shown(tmp_path: Path) -> None:
    source = (
        "  - {id: fedi, kind: mastodon, server: a.example, tags: [x], token_env: s3cr3t-t0k3n}\n"
    )
    told = mistakes_in(changed("routing:\n", f"{source}routing:\n"), tmp_path)

    assert len(told) == 1
    assert "environment variable" in told[0]
    assert "s3cr3t" not in told[0]


def test_a_missing_secret_is_a_mistake_and_a_present_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FEDI_TOKEN", "x")
    content = {"sources": [{"id": "fedi", "token_env": "FEDI_TOKEN"}, {"id": "survey"}]}

    (found,) = missing_secrets(content, NOTHING.get)
    assert found.path == ("sources", 0, "token_env")
    assert "FEDI_TOKEN" in found.message
    assert list(missing_secrets(content, os.environ.get)) == []


@pytest.mark.parametrize("content", [None, [], "x", {"follow_up": 1}, {"sources": {"a": 1}}])
@pytest.mark.parametrize(
    "check",
    [
        lambda content: missing_secrets(content, NOTHING.get),
        lambda content: unwritten_languages(content, LANGUAGES),
    ],
)
def test_checks_of_a_misshapen_file_find_nothing(
    check: Callable[[object], Any], content: object
) -> None:
    assert list(check(content)) == []


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, len(GOOD)),
    length=st.integers(0, 30),
    junk=st.text("ab: -[]{}\"'&*!|>#\t\n\\%@`\x00é", max_size=12),
)
def test_no_edit_of_a_company_file_is_worse_than_a_mistake_with_its_line(
    at: int, length: int, junk: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = mistakes_in(GOOD[:at] + junk + GOOD[at + length :], tmp_path_factory.mktemp("x"))

    assert all(problem.startswith(("line ", ": ")) for problem in told)


# --- order numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bMF-\d{6}\b",
        r"(?:AB|CD)-?\d{4,12}",
        r"(?i)order #\d{1,9}",
        r"(\d{1,3}-){1,3}\d{4}",
        r"[A-Z]{2}\d{8}(?!\d)",
        r"(?P<a>X)(?(a)\d{3}|Y)",
    ],
)
def test_order_numbers_with_bounds_are_accepted(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern", [r"(\d+)+$", r"(a|a)*b", r"\d+-\d+", r"(a{1,9}){1,9}", r"(?:x{0,40}){0,40}", r"A.*"]
)
def test_what_can_run_away_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="can run away"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"\w{3,9}", "e", r"(?:a|b)?", ""])
def test_what_fits_everything_or_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="fits"):
        check_pattern(pattern)


# --- worth a second look ------------------------------------------------------------------------


def company(**source: object) -> Company:
    values: dict[str, Any] = {
        "company": {"name": "S", "sender": "S <a@shop.example>", "postal_address": "x"},
        "departments": [
            {
                "id": "triage",
                "name": "T",
                "description": "x",
                "owners": [{"name": "A", "email": "a@shop.example"}],
            }
        ],
        "sources": [
            {"id": "s", "kind": "file", "channel": "survey", "path": "*.csv"}
            | {"columns": {"text": "t"}}
            | source
        ],
    }
    return Company.model_validate(values)


def test_a_source_without_files_is_worth_a_second_look() -> None:
    (found,) = warnings(company(), {"s": 0})

    assert found.path == ("sources", 0, "path")
    assert list(warnings(company(), {"s": 1})) == []


def test_addresses_without_consent_are_worth_a_second_look() -> None:
    columns = {"text": "t", "email": "e"}

    (found,) = warnings(company(columns=columns), {"s": 1})
    assert "nobody from here will be written to" in found.message
    assert list(warnings(company(columns={**columns, "consent": "c"}), {"s": 1})) == []


# --- the documents keep up ----------------------------------------------------------------------


def test_the_starter_is_right_and_an_editor_finds_its_schema(tmp_path: Path) -> None:
    text = STARTER.read_text(encoding="utf-8")

    assert mistakes_in(text, tmp_path) == []
    assert text.startswith("# yaml-language-server: $schema=voc.schema.json\n")


def test_the_starter_explains_every_section() -> None:
    text = STARTER.read_text(encoding="utf-8")

    for section in Company.model_fields:
        assert re.search(rf"^# .*\n(?:#.*\n)*{section}:$", text, re.MULTILINE), section


def test_the_published_schema_is_that_of_the_models() -> None:
    assert (ROOT / SCHEMA).read_text(encoding="utf-8") == schema_text()


def test_the_reference_is_that_of_the_models() -> None:
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")

    assert text == fill(text, document_text())


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_is_explained(model: type[BaseModel]) -> None:
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")

    assert model.__doc__
    for name, field in model.model_fields.items():
        described = field.description or any(
            getattr(each, "description", None) for each in get_args(field.annotation)
        )
        assert described, f"{model.__name__}.{name}"
        assert f"| `{name}` |" in text

"""`voc evaluate` on small labelled files, with stand-ins for the models."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import tasks.models
from apps.cli.evaluation_vectors import embed
from apps.cli.main import app
from apps.cli.model_cards import model_cards
from apps.cli.model_tables import UNSEEN
from nlp.reader import SeparateReader
from nlp.topics import SubjectModel
from nlp.understand import Models
from rehearsal.company_files import COMPANY
from tests.nlp_fakes import FakeDetector, FakeEncoder, FakeSentiment
from voc.company import load_company
from voc.errors import ConfigurationError


def stand_ins(encoder: FakeEncoder) -> Models:
    return Models(
        detector=FakeDetector(),
        reader=SeparateReader(encoder, FakeSentiment()),
        subjects=SubjectModel([], {}, encoder),
    )


JUDGED = (
    ("the lamp is great", "positive"),
    ("the courier was rude", "negative"),
    ("the parcel was late", "negative"),
    ("where is my parcel", "neutral"),
    ("it stopped after a day", "negative"),
)
"""The stand-in calls the last one neutral, and the others what they are."""


@pytest.fixture(autouse=True)
def _stand_ins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(tasks.models, "build_models", lambda company: stand_ins(FakeEncoder()))


def evaluate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *arguments])


def found(*arguments: str) -> dict[str, Any]:
    """The one object on stdout."""
    result = evaluate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert isinstance(value, dict)
    return value


def csv(name: str, rows: Sequence[Sequence[str]], header: str = "text,label") -> str:
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    Path(name).write_text("\n".join([header, *lines]), encoding="utf-8")
    return name


def jsonl(name: str, rows: Sequence[dict[str, Any]]) -> str:
    Path(name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return name


# --- sentiment ----------------------------------------------------------------------------------


def test_sentiment_is_measured_and_told_in_one_object() -> None:
    told = found("sentiment", csv("x.csv", JUDGED))

    assert told["task"] == "sentiment"
    assert told["rows"] == 5
    assert told["accuracy"] == 0.8
    assert told["recall_negative"] == pytest.approx(2 / 3, abs=1e-6)
    assert told["macro_recall"] == pytest.approx((2 / 3 + 1 + 1) / 3, abs=1e-6)
    assert told["macro_f1"] == pytest.approx((0.8 + 2 / 3 + 1) / 3, abs=1e-6)
    assert told["accuracy_surest_50"] == 1
    assert told["answered"] == told["supported"] == 1
    assert told["ece"] == pytest.approx(abs(3 * 0.9 + 2 * 0.8 - 4) / 5)
    assert told["per_class"]["negative"] == {
        "precision": 1.0, "recall": pytest.approx(2 / 3, abs=1e-6), "f1": 0.8, "support": 3,
    }  # fmt: skip
    assert told["confusion"]["negative"] == {"negative": 2, "neutral": 1, "positive": 0}
    assert told["model_versions"] == {
        "sentiment": "fake-1", "encoder": "fake-1", "language": "fake-1",
    }  # fmt: skip
    assert told["data_sha256"] == hashlib.sha256(Path("x.csv").read_bytes()).hexdigest()


def test_it_says_the_same_of_every_format() -> None:
    csv("x.csv", JUDGED)
    jsonl("x.jsonl", [{"text": text, "label": label} for text, label in JUDGED])
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (("text", "label"), *JUDGED):
        book.active.append(line)
    book.save("x.xlsx")
    texts, labels = zip(*JUDGED, strict=True)
    pq.write_table(pa.table({"text": texts, "label": labels}), "x.parquet")

    told = [found("sentiment", f"x.{end}") for end in ("csv", "jsonl", "xlsx", "parquet")]

    hidden = dict.fromkeys(("data_sha256", "files"))
    assert all(each | hidden == told[0] | hidden for each in told)


def test_a_person_sees_figures_versions_and_the_hash_of_the_data() -> None:
    shown = evaluate("sentiment", csv("x.csv", JUDGED)).stdout

    assert "macro_f1" in shown
    assert "0.822" in shown
    assert "sentiment fake-1" in shown
    assert hashlib.sha256(Path("x.csv").read_bytes()).hexdigest() in shown
    assert "text: text, labels: label" in shown
    assert "\x1b" not in shown


def test_labels_are_read_whatever_their_case_and_others_are_counted() -> None:
    rows = [*JUDGED, ("so so", "Mixed"), ("fine", ""), ("", "neutral"), ("thanks", "POSITIVE")]

    told = found("sentiment", csv("x.csv", rows))

    assert told["rows"] == 6
    assert sum(told["skipped"].values()) == 3
    assert any("none of negative, neutral, positive: Mixed" in why for why in told["skipped"])
    assert {"no label", "no text"} <= set(told["skipped"])


def test_rows_that_cannot_be_read_are_counted() -> None:
    path = Path(csv("x.csv", JUDGED))
    path.write_text(path.read_text() + "\na,b,c,d\n")

    skipped = found("sentiment", "x.csv")["skipped"]

    assert list(skipped.values()) == [1]
    assert "too many cells" in next(iter(skipped))


def test_other_languages_are_counted_but_not_held_against_the_model() -> None:
    rows = [*JUDGED, ("das war nicht gut und sehr rude", "positive"), ("の", "neutral")]

    told = found("sentiment", csv("x.csv", rows))

    assert told["accuracy"] == 0.8
    assert told["supported"] == pytest.approx(5 / 7, abs=1e-6)
    assert told["accuracy_all"] == pytest.approx(5 / 7, abs=1e-6)
    assert told["groups"]["language"]["en"]["rows"] == 5
    assert told["groups"]["language"]["de"] == {
        "rows": 1, "supported": 0.0, "accuracy_all": 0.0, "macro_f1_all": 0.0,
    }  # fmt: skip


def test_nothing_in_a_supported_language_leaves_the_figures_of_all_rows() -> None:
    told = found("sentiment", csv("x.csv", [("das ist nicht rude", "negative")]))

    assert told["supported"] == 0
    assert told["accuracy_all"] == 1
    assert "accuracy" not in told
    assert evaluate("sentiment", "x.csv").exit_code == 0


def test_a_column_of_languages_and_one_of_groups_are_reported() -> None:
    rows = [(*row, lang, shop) for row, lang, shop in zip(JUDGED, "aabbb", "xyxyx", strict=True)]
    csv("x.csv", rows, header="text,label,lang,shop")

    groups = found("sentiment", "x.csv", "--group-column", "shop")["groups"]

    assert {name: each["rows"] for name, each in groups["language"].items()} == {"b": 3, "a": 2}
    assert groups["shop"]["x"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert groups["shop"]["y"]["accuracy"] == 1


def test_several_files_are_pooled_and_reported_one_by_one() -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
    first, second = csv("a/x.csv", JUDGED[:3]), csv("b/x.csv", JUDGED[3:])

    told = found("sentiment", first, second)

    assert told["rows"] == 5
    assert told["accuracy"] == 0.8
    by_file = told["groups"]["file"]
    assert {name: each["accuracy"] for name, each in by_file.items()} == {
        "a/x.csv": 1,
        "b/x.csv": 0.5,
    }
    assert [file["rows"] for file in told["files"]] == [3, 2]
    hashes = "\n".join(file["sha256"] for file in told["files"])
    assert told["data_sha256"] == hashlib.sha256(hashes.encode()).hexdigest()


def test_personal_data_reaches_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = FakeEncoder()
    monkeypatch.setattr(tasks.models, "build_models", lambda company: stand_ins(encoder))

    found("sentiment", csv("x.csv", [("great, write to kim@customer.example", "positive")]))

    assert encoder.encoded
    assert "customer.example" not in " ".join(encoder.encoded)


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "code", "says"),
    [
        (["--min", "accuracy=0.8", "--max", "accuracy=0.8"], 0, ""),
        (["--min", "accuracy=0.81"], 1, "accuracy is 0.8, below 0.81"),
        (["--min", "macro_f1=.9", "--min", "accuracy=1"], 1, "macro_f1 is 0.822222, below 0.9"),
        (["--max", "accuracy=0.79"], 1, "accuracy is 0.8, above 0.79"),
        (
            ["--min", "f2=0.5"],
            2,
            "there is no metric f2 of sentiment on these rows; there are: acc",
        ),
        (["--min", "accuracy"], 2, "write METRIC=VALUE"),
        (["--min", "accuracy=nan"], 2, "write METRIC=VALUE"),
        (["--min", "accuracy=high"], 2, "write METRIC=VALUE"),
    ],
)
@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_bound_that_is_missed_is_1_and_one_that_cannot_be_is_2(
    bounds: list[str], code: int, says: str, how: list[str]
) -> None:
    result = evaluate("sentiment", csv("x.csv", JUDGED), *bounds, *how)

    assert result.exit_code == code
    assert says in result.stderr
    if how and code < 2:
        assert json.loads(result.stdout)["accuracy"] == 0.8


def test_every_bound_that_is_missed_is_named() -> None:
    result = evaluate(
        "sentiment", csv("x.csv", JUDGED), "--min", "macro_f1=1", "--min", "accuracy=1"
    )

    assert len(result.stderr.splitlines()) == 2


# --- wrong use ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sentiment", "nowhere.csv"], "there is no file nowhere.csv"),
        (["sentiment", "."], "is a folder"),
        (["sentiment", "x.csv", "--text-column", "words"], "it has: id, comment, stars"),
        (["sentiment", "x.csv", "--label-column", "mood"], "it has: id, comment, stars"),
        (["sentiment", "x.csv", "--group-column", "shop"], "it has: id, comment, stars"),
        (["sentiment", "x.csv"], "which column holds the labels? Name it with --label-column"),
        (["sentiment", "x.csv", "--label-column", "stars"], "mostly 1-2, 3 and 4-5"),
        (["sentiment", "x.csv", "--label-column", "comment"], "both text and label"),
        (["sentiment", "x.csv", "--text-column", "id", "--label-column", "comment"], "negative, n"),
        (["masking", "x.csv", "--label-column", "stars"], "no list in JSON"),
        (["statements", "x.csv", "--label-column", "stars"], "no list in JSON"),
        (["sentiment", "empty.csv"], "no rows"),
        (["tomorrow", "x.csv"], "No such command"),
        (["sentiment"], "Missing argument"),
    ],
)
def test_wrong_use_is_2_and_says_what_there_is(arguments: list[str], says: str) -> None:
    csv("x.csv", [("1", "late again", "1"), ("2", "fine", "5")], header="id,comment,stars")
    csv("empty.csv", [], header="text,label")

    result = evaluate(*arguments, "--json")

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


@settings(max_examples=40, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(st.text('ab",;\n\t\x00é👍[]{}:1', max_size=12), max_size=8).map(
            lambda lines: "\n".join(["text,label,spans,categories", *lines]).encode()
        ),
        st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    name: st.recursive(
                        st.none() | st.integers() | st.text(max_size=8),
                        lambda inner: st.lists(inner, max_size=4),
                        max_leaves=6,
                    )
                    for name in ("text", "label", "spans", "categories")
                },
            ),
            max_size=6,
        ).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    ),
    end=st.sampled_from(["csv", "jsonl", "xlsx", "parquet"]),
    task=st.sampled_from(["sentiment", "masking", "statements"]),
)
def test_no_bytes_make_it_crash(content: bytes, end: str, task: str) -> None:
    Path(f"x.{end}").write_bytes(content)

    result = evaluate(task, f"x.{end}", "--json")

    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2)
    if result.exit_code == 0:
        assert json.loads(result.stdout)["rows"] > 0
    else:
        assert result.stdout == ""
        assert result.stderr


# --- masking ------------------------------------------------------------------------------------

MARKED = [
    {"text": "write to kim@customer.example", "spans": [["EMAIL_ADDRESS", "", 9, 29]]},
    {"text": "  I am Kim Marlow, call me", "spans": [["PERSON", "Kim Marlow", 7, 17]]},
    {"text": "my number is secret", "spans": []},
    {"text": "pay 4111 1111 1111 1112", "spans": [["CREDIT_CARD", "", 4, 23]]},
]
"""The card's checksum is wrong: no rule can know it for a card."""


def test_masking_is_measured_by_kind() -> None:
    told = found("masking", jsonl("x.jsonl", MARKED))

    assert told["recall_email"] == 1
    assert told["recall_known_identity"] == 1
    assert told["over_masked"] == 0
    assert told["per_kind"]["PERSON"] == {"values": 1, "masked": 0}
    assert told["per_kind_of_known_customer"]["name"] == {"values": 1, "masked": 1}
    assert told["per_kind"]["CREDIT_CARD"]["values"] == 1
    assert told["rows"] == 4


def test_masking_too_much_is_told() -> None:
    row = {"text": "ten letters, kim@customer.example", "spans": []}

    told = found("masking", jsonl("x.jsonl", [row]))

    assert told["over_masked"] == pytest.approx(18 / 28, abs=1e-6)
    assert told["over_masked_as"] == {"email": pytest.approx(18 / 28, abs=1e-6)}


def test_half_of_a_value_is_not_masked() -> None:
    text = "+44 20 7946 0018 and then desk 9"
    row = {"text": text, "spans": [["PHONE_NUMBER", "", 0, len(text)]]}

    assert found("masking", jsonl("x.jsonl", [row]))["recall_phone"] == 0


def test_spans_that_are_none_are_counted_and_not_used() -> None:
    rows = [
        *MARKED,
        {"text": "short", "spans": [["PERSON", "", 0, 99]]},
        {"text": "short", "spans": [["PERSON"]]},
        {"text": "short", "spans": "here"},
        {"text": "short"},
    ]

    told = found("masking", jsonl("x.jsonl", rows))

    assert told["rows"] == 4
    assert sum(told["skipped"].values()) == 4


# --- routing ------------------------------------------------------------------------------------

SUBJECTS = {
    "delivery": "the courier brought my parcel late and wet",
    "billing": "the invoice charged my card twice again",
    "product": "this lamp broke and the switch is loose",
}


def tickets(name: str, of_each: int, column: str = "department") -> str:
    """Rows that a stand-in can tell apart: each has four words of its subject."""
    rows = [
        (" ".join((words.split() * 2)[n % 5 : n % 5 + 4]) + f" x{n}", label)
        for n in range(of_each)
        for label, words in SUBJECTS.items()
    ]
    return csv(name, rows, header=f"comment,{column}")


def test_routing_is_measured_in_folds() -> None:
    told = found("routing", tickets("x.csv", 12))

    assert told["task"] == "routing"
    assert told["rows"] == 36
    assert told["accuracy"] > 0.9
    assert told["top3"] == 1
    assert told["labels_learned"] == 29
    assert set(told["per_class"]) == set(SUBJECTS)
    assert told["model_versions"] == {"encoder": "fake-1"}


def test_routing_learns_from_another_file_or_from_few_or_none() -> None:
    asked, taught = tickets("x.csv", 4), tickets("y.csv", 12)

    by_file = found("routing", asked, "--train", taught)
    few = found("routing", asked, "--train", taught, "--per-class", "2")
    none = found("routing", asked, "--per-class", "0")

    assert by_file["labels_learned"] == 36 - 12  # those that are asked about are left out
    assert by_file["train_sha256"] == hashlib.sha256(Path(taught).read_bytes()).hexdigest()
    assert few["labels_learned"] == 6
    assert none["labels_learned"] == 0
    assert by_file["accuracy"] >= none["accuracy"]


def test_a_company_describes_its_labels() -> None:
    path = COMPANY / "voc.yaml"
    departments = [each for each in load_company(path).departments if each.examples]
    csv("x.csv", [(phrase, each.id) for each in departments for phrase in each.examples])

    blind = found("routing", "x.csv", "--per-class", "0")
    told = found("routing", "x.csv", "--per-class", "0", "--company", str(path))

    assert told["accuracy"] == 1
    assert blind["accuracy"] < 1


def test_rows_of_one_label_cannot_be_routed() -> None:
    result = evaluate("routing", csv("x.csv", [("late", "delivery")] * 9), "--json")

    assert result.exit_code == 2
    assert "at least two labels" in result.stderr
    assert result.stdout == ""


def test_a_second_evaluation_embeds_nothing(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    first = found("routing", tickets("x.csv", 12))
    encoder = FakeEncoder()
    monkeypatch.setattr(tasks.models, "build_models", lambda company: stand_ins(encoder))

    assert found("routing", "x.csv") == first
    assert not any("courier" in text for text in encoder.encoded)
    assert list((home / "models" / "vectors").iterdir())


# --- statements ---------------------------------------------------------------------------------

MIXED = {
    "text": "The food was great but the waiter was rude",
    "categories": [["food", "positive"], ["waiter", "negative"]],
}


def test_statements_are_measured_against_categories() -> None:
    told = found("statements", jsonl("x.jsonl", [MIXED, {**MIXED, "lang": "en"}]))

    assert told["task"] == "statements"
    assert told["accuracy"] == 1
    assert told["accuracy_sentence"] < 1
    assert told["mixed"] == 2
    assert told["files"][0]["label_column"] == "categories"


def test_quads_are_taken_before_categories() -> None:
    row = {**MIXED, "quads": ["1,2 FOOD 2 3,4", "6,7 SERVICE 0 8,9"]}

    told = found("statements", jsonl("x.jsonl", [row]))

    assert told["kept_together"] == 1
    assert told["files"][0]["label_column"] == "quads"


@pytest.mark.parametrize(
    "label",
    [[["food"]], [["food", "conflict"]], [1], ["0,1 FOOD 7 1,2"], ["0,99 FOOD 1 1,2"], ["x"], "no"],
    ids=str,
)
def test_aspects_that_are_none_are_counted_and_not_used(label: Any) -> None:
    rows = [MIXED, {"text": "The food was great", "categories": label}]

    told = found("statements", jsonl("x.jsonl", rows))

    assert told["rows"] == 1
    assert sum(told["skipped"].values()) == 1


def test_without_a_mixed_text_there_is_nothing_to_measure() -> None:
    row = {"text": "The food was great", "categories": [["food", "positive"]]}

    result = evaluate("statements", jsonl("x.jsonl", [row]))

    assert result.exit_code == 2
    assert "cannot be measured here" in result.stderr


# --- themes -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_themes_are_compared_with_labels_and_with_what_they_should_not_follow() -> None:
    rows = [
        (" ".join((words.split() * 2)[n % 6 : n % 6 + 5]) + f" x{n}", label, "ab"[n % 2])
        for n in range(40)
        for label, words in SUBJECTS.items()
    ]
    csv("x.csv", rows, header="text,reason,brand")

    told = found("themes", "x.csv", "--group-column", "brand")

    assert told["task"] == "themes"
    assert told["nmi"] > 0.5
    assert told["nmi_brand"] < 0.2
    assert told["unassigned"] + told["assigned"] == pytest.approx(1)
    assert {"ari", "ami", "ari_orders", "ari_seeds", "themes"} <= set(told)
    assert told["themes_found"][0]["size"] >= told["themes_found"][-1]["size"]


def test_names_of_groups_do_not_decide_what_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = FakeEncoder()
    monkeypatch.setattr(tasks.models, "build_models", lambda company: stand_ins(encoder))
    csv("x.csv", [("Acme was late", "late", "Acme"), ("late", "late", "")], "text,reason,brand")

    found("themes", "x.csv", "--group-column", "brand")

    assert encoder.encoded == ["was late", "late"]


def test_few_texts_have_no_themes_and_no_error() -> None:
    told = found("themes", csv("x.csv", [("late", "delivery"), ("broken", "product")]))

    assert told["themes"] == 0
    assert told["unassigned"] == 1


# --- vectors that are kept ----------------------------------------------------------------------


def test_texts_are_embedded_once_by_each_encoder(tmp_path: Path) -> None:
    words = [f"word {number}" for number in range(600)]
    told: list[int] = []
    first = embed(words, FakeEncoder(), tmp_path, told.append)

    again = FakeEncoder()
    assert (embed(words, again, tmp_path, told.append) == first).all()
    assert again.encoded == []
    assert sum(told) == 2 * 600

    other = FakeEncoder()
    other.version = "fake-2"
    embed(words, other, tmp_path, told.append)
    assert other.encoded == words
    assert (embed(words[::-1], again, tmp_path, told.append) == first[::-1]).all()
    assert again.encoded == words[::-1]


@pytest.mark.parametrize("content", [b"", b"rubbish" * 50])
def test_a_file_of_vectors_that_is_broken_is_written_anew(content: bytes, tmp_path: Path) -> None:
    vectors = embed(["one", "two"], FakeEncoder(), tmp_path, lambda done: None)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(content or whole[:-1])

    assert (embed(["one", "two"], FakeEncoder(), tmp_path, lambda done: None) == vectors).all()
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


# --- the tables of the cards --------------------------------------------------------------------


@pytest.fixture
def labelled_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in UNSEEN:
        Path("data", name).mkdir(parents=True)
        csv(f"data/{name}/dev.csv", JUDGED)
    Path("data/pii_presidio").mkdir()
    jsonl("data/pii_presidio/dev.jsonl", MARKED)
    Path("cards").mkdir()
    monkeypatch.setenv("VOC_EVAL_DATA", "data")


CARD = """# Sentiment

<!-- table:sentiment -->
old
<!-- /table -->

Words that stay.

<!-- table:masking -->
<!-- /table -->
"""


def write_cards(*arguments: str) -> None:
    """As `python -m apps.cli.model_cards` does, on the cards of this test."""
    command = typer.Typer(pretty_exceptions_enable=False)
    command.command()(model_cards)
    result = CliRunner().invoke(command, ["--docs", "cards", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception


@pytest.mark.usefixtures("labelled_sets")
def test_tables_are_measured_and_a_second_time_changes_nothing() -> None:
    path = Path("cards/sentiment.md")
    path.write_text(CARD)

    write_cards()
    first = path.read_text()
    write_cards()

    assert path.read_text() == first
    assert "old" not in first
    assert "\nWords that stay.\n" in first
    digest = hashlib.sha256(Path("data/sst/dev.csv").read_bytes()).hexdigest()
    assert "| sst | 5 | 82.2 | 80.0 |" in first
    assert "| 66.7 | 0.060 |" in first
    assert f"`{digest[:12]}`" in first
    assert "| **mean** |  | **82.2** |" in first
    assert "sentiment fake-1" in first
    assert "| pii_presidio | name of a known customer | 1 | 100.0 |" in first


@pytest.mark.usefixtures("labelled_sets")
def test_one_table_of_a_sample_leaves_the_others() -> None:
    path = Path("cards/sentiment.md")
    path.write_text(CARD)

    write_cards("--only", "sentiment", "--limit", "3")

    assert "| sst | 3 |" in path.read_text()
    assert "Samples of 3 rows" in path.read_text()
    assert path.read_text().endswith("<!-- table:masking -->\n<!-- /table -->\n")


@pytest.mark.usefixtures("labelled_sets")
@pytest.mark.parametrize(
    ("card", "arguments", "says"),
    [
        (CARD, ["--only", "weather"], "there is no table weather; there are: sentiment"),
        (CARD, ["--only", "themes"], "no card has <!-- table:themes -->"),
        (CARD.replace("masking", "moods"), [], "there is no table moods"),
        (CARD.replace("masking", "statements"), [], "VOC_EVAL_DATA has no mams_acsa/dev.csv"),
    ],
)
def test_a_table_that_cannot_be_measured_changes_no_card(
    card: str, arguments: list[str], says: str
) -> None:
    Path("cards/sentiment.md").write_text(card)

    with pytest.raises(ConfigurationError, match=says):
        write_cards(*arguments)

    assert Path("cards/sentiment.md").read_text() == card


def test_cards_need_the_labelled_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOC_EVAL_DATA", raising=False)
    Path("x.md").write_text(CARD)

    with pytest.raises(ConfigurationError, match="set VOC_EVAL_DATA"):
        write_cards("--docs", ".")

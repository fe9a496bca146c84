"""`voc analyze` on files that nobody prepared, with stand-ins for the models."""

import codecs
import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from apps.cli.analysis_formats import COLUMNS, Blocks, Csv, JsonLines
from apps.cli.analyze import write_analysis
from apps.cli.main import app
from apps.cli.unknown_table import NoTableError, open_table
from nlp.reader import SeparateReader
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models
from tests.factories import make_company
from tests.nlp_fakes import FakeDetector, FakeEncoder, FakeSentiment

COMPANY = make_company()
WORDS = "The courier was rude. Great lamp, thanks!"
KEYS = [
    *("row", "place", "text", "language", "sentiment", "probabilities", "masked", "statements"),
    *("note", "problem"),
]


def make_models() -> Models:
    encoder = FakeEncoder()
    late = Subject(id="late", department="delivery", texts=("parcel came late", "rude courier"))
    departments = {"delivery": ("parcels and couriers",), "billing": ("money and refund",)}
    return Models(
        detector=FakeDetector(),
        reader=SeparateReader(encoder, FakeSentiment()),
        subjects=SubjectModel([late], departments, encoder),
    )


MODELS = make_models()


def run(path: Path, column: str | None = None, **options: Any) -> tuple[list[dict[str, Any]], str]:
    """The objects of the JSON lines, and what was said beside them."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(file=err, width=500)
    table = open_table(path, column)
    write_analysis(table, COMPANY, MODELS, JsonLines(out), out=out, err=console, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def table_text(path: Path, **console: Any) -> str:
    out = io.StringIO()
    writer = Blocks(Console(file=out, markup=False, emoji=False, **console))
    write_analysis(
        open_table(path), COMPANY, MODELS, writer, out=out, err=Console(file=io.StringIO())
    )
    return out.getvalue()


def csv_lines(path: Path) -> list[dict[str, str]]:
    out = io.StringIO()
    err = Console(file=io.StringIO())
    write_analysis(open_table(path), COMPANY, MODELS, Csv(out), out=out, err=err)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def save(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


# --- files never seen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("cp1252", b""),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_is_read_in_any_encoding_with_any_delimiter(
    encoding: str, mark: bytes, delimiter: str, tmp_path: Path
) -> None:
    header = delimiter.join(["Nr", "Kundenstimme", "Datum"])
    row = delimiter.join(["7", "Das Päckchen kam nicht, schön ist das nicht", "2026-01-02"])
    quoted = row.replace("Das", '"Das').replace("ist das nicht", 'ist das nicht"')
    path = save(tmp_path / "x.csv", mark + f"{header}\n{quoted}\n".encode(encoding))

    (found,), said = run(path)

    assert found["text"] == "Das Päckchen kam nicht, schön ist das nicht"
    assert found["language"] == "de"
    assert "sentiment is not supported in de" in found["note"]
    assert "1 row: 1 with text" in said


def test_excel_json_lines_and_parquet_say_the_same_as_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (["id", "review"], [1, WORDS]):
        book.active.append(line)
    book.save(tmp_path / "x.xlsx")
    save(tmp_path / "x.jsonl", json.dumps({"id": 1, "review": WORDS}))
    save(tmp_path / "x.csv", f'id,review\n1,"{WORDS}"\n')
    pq.write_table(pa.table({"id": [1], "review": [WORDS]}), tmp_path / "x.parquet")

    found = [run(tmp_path / f"x.{end}")[0] for end in ("csv", "xlsx", "jsonl", "parquet")]

    assert all(len(rows) == 1 for rows in found)
    assert len({json.dumps([r | {"place": ""} for r in rows]) for rows in found}) == 1


def test_a_row_has_its_statements_with_what_they_mean(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", f'review\n"{WORDS}"\n')

    (found,), _ = run(path)

    assert list(found) == KEYS
    first, second = found["statements"]
    assert found["text"][first["start"] : first["end"]].strip() == first["text"]
    assert first["sentiment"] == "negative"
    assert first["department"]["value"] == "delivery"
    assert second["sentiment"] == "positive"
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_personal_data_is_masked_and_counted(tmp_path: Path) -> None:
    path = save(
        tmp_path / "x.csv", "review\nLate! Write to kim@customer.example or ann@b.example\n"
    )

    (found,), _ = run(path)

    assert "customer.example" not in json.dumps(found)
    assert found["masked"] == {"email": 2}


def test_an_empty_cell_is_a_row_without_statements(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", "id,comment\n1,late again\n2,\n3,   \n")

    found, said = run(path)

    assert [row["note"] for row in found] == [None, "no text", "no text"]
    assert found[1]["statements"] == []
    assert "3 rows: 1 with text (1 statements), 2 without, 0 could not be read" in said


def test_an_unreadable_row_is_reported_in_its_place(tmp_path: Path) -> None:
    path = save(
        tmp_path / "x.csv", "id,comment,date\n1,late again,2\n2,one,two,three,four\n3,fine,4\n"
    )

    found, said = run(path)

    assert [row["row"] for row in found] == [1, 2, 3]
    assert [bool(row["problem"]) for row in found] == [False, True, False]
    assert list(found[1]) == KEYS
    assert "1 could not be read" in said


def test_the_table_lists_unreadable_rows_below(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", "id,comment,date\n2,one,two,three,four\n3,fine,4\n")

    shown = table_text(path)

    assert shown.index("x.csv line 3") < shown.index("Could not be read:")
    assert "x.csv line 2: too many cells" in shown


def test_a_parquet_file_that_breaks_in_the_middle_shows_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"review": [f"{WORDS} {i} {'x' * (i % 97)}" for i in range(20_000)]})
    pq.write_table(table, path, row_group_size=1000, use_dictionary=False, compression="none")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xff" * 20_000
    path.write_bytes(content)

    found, said = run(path, limit=20_000)

    assert found[0]["text"].startswith(WORDS)
    assert found[-1]["problem"].endswith("What follows was not read")
    assert "1 could not be read" in said


@pytest.mark.parametrize(
    "cell",
    [
        "x" * 20_000,
        "late again. " * 1700,
        "y" * 100_000,
        "👍🏽👨‍👩‍👧‍👦 🎉" * 50,
        "الطرد لم يصل بعد",
        "late\x00 again",
        "\x1b[31mred\x1b[0m",
        "\ud800 late".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
    ids=["long", "wordy", "longer", "emoji", "arabic", "nul", "escape", "replaced"],
)
def test_strange_cells_are_rows_like_any_other(cell: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", f'id,comment\n1,"{cell}"\n2,late again\n')

    found, said = run(path, "comment")

    assert [row["problem"] for row in found] == [None, None]
    assert found[1]["text"] == "late again"
    assert "\x1b" not in json.dumps(found, ensure_ascii=False)
    assert "2 with text" in said


def test_a_text_that_nobody_wrote_is_reported_and_not_read(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", f"id,comment\n1,{'late ' * 30_000}\n2,late\n")

    found, _ = run(path, "comment")

    assert "longer than 100,000 characters" in found[0]["problem"]
    assert found[1]["text"] == "late"


def test_columns_without_a_name_or_with_the_same_one_are_all_there(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", ",x,x\n1,short,the courier was rude and late\n")

    (found,), said = run(path)

    assert found["text"] == "the courier was rude and late"
    table = open_table(path)
    assert table.columns == ["column 1", "x", "x (3)"]
    assert table.text_column == "x (3)"
    assert "1 row" in said


def test_a_header_only_has_no_rows(tmp_path: Path) -> None:
    found, said = run(save(tmp_path / "x.csv", "id,comment\n"))

    assert found == []
    assert "0 rows" in said


def test_a_file_without_header_is_suspected(tmp_path: Path) -> None:
    first = "The courier was rude and left my parcel in the rain"

    assert open_table(save(tmp_path / "x.txt", f"{first}\nlate again\n")).may_lack_header


def test_only_the_first_rows_are_read_if_that_is_asked(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", "comment\n" + "late\n" * 1000)

    assert [row["row"] for row in run(path, limit=3)[0]] == [1, 2, 3]


# --- what is no table ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a picture"),
        (b"PK\x03\x04" + bytes(range(256)), ".xlsx"),
        (bytes((i * 7919 + i // 13) % 256 for i in range(5000)), "is no text"),
        (b"\x7fELF" + bytes(2000), "is no text"),
    ],
    ids=["empty", "picture", "workbook", "noise", "program"],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(NoTableError, match=says):
        open_table(save(tmp_path / "x.csv", content))


@pytest.mark.parametrize("end", ["xlsx", "parquet"])
def test_text_under_a_wrong_name_is_refused(end: str, tmp_path: Path) -> None:
    with pytest.raises(NoTableError):
        open_table(save(tmp_path / f"x.{end}", "id,comment\n1,late\n"))


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(NoTableError, match="broken"):
        open_table(tmp_path / "x.xlsx")


@settings(max_examples=150, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=400),
        st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(
            st.lists(st.text('abc ",;\n\t\x00=é👍', max_size=6), max_size=4).map(",".join),
            max_size=8,
        ).map(lambda lines: "\n".join(["id,comment", *lines]).encode()),
    ),
    end=st.sampled_from(["csv", "jsonl", "tsv"]),
)
def test_no_bytes_make_it_crash_and_no_row_is_lost(
    content: bytes, end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = save(tmp_path_factory.mktemp("x") / f"x.{end}", content)

    try:
        found, said = run(path)
    except NoTableError:
        return

    assert [row["row"] for row in found] == list(range(1, len(found) + 1))
    assert said.splitlines()[-1].startswith(f"{len(found)} row")


@settings(max_examples=30, deadline=None)
@given(where=st.floats(0, 1), junk=st.binary(min_size=1, max_size=40))
@pytest.mark.parametrize("end", ["xlsx", "parquet"])
def test_a_damaged_file_is_an_error_in_words(
    end: str, where: float, junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("x") / f"x.{end}"
    if end == "xlsx":
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(["comment"])
        book.active.append([WORDS])
        book.save(path)
    else:
        pq.write_table(pa.table({"comment": [WORDS] * 50}), path)
    content = path.read_bytes()
    at = int(where * len(content))
    path.write_bytes(content[:at] + junk + content[at + len(junk) :])

    try:
        found, _ = run(path)
    except NoTableError:
        return

    assert all(row["problem"] or row["note"] or row["text"] for row in found)


# --- the three formats --------------------------------------------------------------------------


def test_csv_has_one_line_a_statement_with_fixed_columns(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", f'id,comment,x\n1,"{WORDS}",1\n2,,2\n3,a,b,c,d\n')

    lines = csv_lines(path)

    assert [(line["row"], bool(line["statement"])) for line in lines] == [
        ("1", True), ("1", True), ("2", False), ("3", False),
    ]  # fmt: skip
    assert tuple(lines[0]) == COLUMNS
    assert lines[2]["note"] == "no text"
    assert "too many cells" in lines[3]["problem"]


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from("=+-@"), rest=st.text("SUM(A1)cmd|' /C calc!0", max_size=20))
def test_no_spreadsheet_runs_a_cell(
    start: str, rest: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = f"{start}x.jsonl"
    path = save(
        tmp_path_factory.mktemp("x") / name,
        json.dumps({"comment": f"{start}{rest} the parcel came late"}),
    )

    lines = csv_lines(path)

    assert lines[0]["place"] == f"'{name} line 1"
    for line in lines:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line.values())


def test_a_pipe_gets_neither_colours_nor_wrapped_lines(tmp_path: Path) -> None:
    words = "a rude courier with a late parcel for " * 20
    path = save(tmp_path / "x.csv", f"comment,id\n{words},1\n")

    shown = table_text(path, width=40)

    assert "\x1b" not in shown
    assert words.strip() in shown


def test_a_terminal_gets_signs_beside_colours_in_80_columns(tmp_path: Path) -> None:
    words = "a rude courier with a late parcel for " * 20
    path = save(tmp_path / "x.csv", f"comment,id\n{words},1\nGreat lamp thanks,2\n[bold]x[/],3\n")

    shown = table_text(path, width=80, force_terminal=True, color_system=None, legacy_windows=False)

    assert max(map(len, shown.splitlines())) <= 80
    assert "▼ a rude courier" in shown
    assert "▲ Great lamp thanks" in shown
    assert "[bold]x[/]" in shown
    assert shown.count("rude") == 20


# --- the command --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["."], "is a folder"),
        (["note.docx"], "must end in one of"),
        (["x.csv", "--text-column", "Comment"], "it has: id, comment"),
        (["x.csv", "--company", "nowhere.yaml"], "there is no such file"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "x.csv", "id,comment\n1,late\n")
    save(tmp_path / "note.docx", "id,comment\n1,late\n")

    result = CliRunner().invoke(app, ["analyze", *arguments])

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


DRIVER = """
import sys
from pathlib import Path
import tasks.models
from tests.integration.test_cli_analyze import MODELS
tasks.models.build_models = lambda company: MODELS
from apps.cli.main import app
try:
    app(sys.argv[1:])
finally:
    sys.stderr.write(f"prefect={'prefect' in sys.modules}")
"""


def command(*arguments: str, cwd: Path, **env: str) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        cwd=cwd,
        env={"PATH": "", "PYTHONPATH": str(root), "HOME": str(cwd), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_it_needs_no_company_file_and_no_prefect_and_leaves_nothing_behind(tmp_path: Path) -> None:
    save(tmp_path / "x.csv", "id,comment\n1,the courier was rude 👍\n2,a,b\n")

    process = command("analyze", "x.csv", cwd=tmp_path, PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 1, err
    assert b"the courier was rude" in out
    assert b"Marlow & Finch, the rehearsal company" in err
    assert b"text column: comment" in err
    assert b"prefect=False" in err
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_programs_get_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    save(tmp_path / "x.csv", "id,comment\n1,the courier was rüde 👍\n")

    process = command(
        "analyze", "x.csv", "--format", "jsonl", cwd=tmp_path, PYTHONIOENCODING="ascii"
    )
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert json.loads(out)["text"] == "the courier was rüde 👍"


def test_a_reader_that_goes_away_is_no_error_to_talk_about(tmp_path: Path) -> None:
    save(tmp_path / "x.csv", "id,comment\n" + "1,the courier was rude and late\n" * 5000)

    process = command("analyze", "x.csv", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.wait(60)
    process.stderr.close()

    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


@pytest.mark.parametrize("key", [*KEYS, *COLUMNS])
def test_every_key_and_column_is_documented(key: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "analyze.md").read_text(encoding="utf-8")

    assert f"`{key}`" in text

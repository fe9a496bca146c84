"""Tables as they come: nothing is dropped, and nothing stops us."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.base import Rejected
from sources.tables import Row, read_table
from sources.textcolumn import guess_text_column
from voc.errors import SourceFormatError


def read(path: Path, **how: object) -> tuple[list[dict[str, object]], list[Rejected]]:
    found = list(read_table(path, **how))  # type: ignore[arg-type]
    rows = [dict(each.cells) for each in found if isinstance(each, Row)]
    return rows, [each for each in found if isinstance(each, Rejected)]


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([["id", "score", "text"], ["1", "2,0", "a, b; c"], ["2", "3,5", "d\ne | f"]])
    rows, rejected = read(write(tmp_path, out.getvalue()))
    assert rows == [
        {"id": "1", "score": "2,0", "text": "a, b; c"},
        {"id": "2", "score": "3,5", "text": "d\ne | f"},
    ]
    assert not rejected


def test_a_table_of_one_column_keeps_its_commas_and_its_empty_rows(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, "comment\nslow, rude, late\n\nfine\nok, then\n"))
    assert [row["comment"] for row in rows] == ["slow, rude, late", None, "fine", "ok, then"]
    assert not rejected


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_every_usual_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    text = "Nr;Wo;Kommentar\n1;München;Schöne Grüße, übler Käse\n2;Köln;nie wieder, für 3 Äpfel\n"
    rows, _ = read(write(tmp_path, text.encode(encoding)))
    assert rows[0] == {"Nr": "1", "Wo": "München", "Kommentar": "Schöne Grüße, übler Käse"}
    assert rows[1]["Wo"] == "Köln"


def test_french_and_spanish_in_cp1252_keep_their_accents(tmp_path: Path) -> None:
    text = "id,text\n1,Très déçue: le café était brûlé\n2,¿Por qué no contestáis? Mañana llamo\n"
    rows, _ = read(write(tmp_path, text.encode("cp1252")))
    assert rows[0]["text"] == "Très déçue: le café était brûlé"
    assert rows[1]["text"] == "¿Por qué no contestáis? Mañana llamo"


def test_one_broken_byte_does_not_break_every_other_accent(tmp_path: Path) -> None:
    good = "\n".join(f"{i},schön über süß" for i in range(20))
    rows, _ = read(write(tmp_path, b"id,text\n" + good.encode() + b"\n99,kaputt \xff\n"))
    assert rows[0]["text"] == "schön über süß"
    assert rows[-1] == {"id": "99", "text": "kaputt \ufffd"}


def test_an_open_quote_costs_its_own_line_and_no_other(tmp_path: Path) -> None:
    content = 'id,text\n1,"abc\n2,def\n3,"ghi"\n4,jkl\n'
    rows, rejected = read(write(tmp_path, content))
    assert [row["id"] for row in rows] == ["2", "3", "4"]
    assert [each.place for each in rejected] == ["t.csv line 2"]
    assert rejected[0].raw == '1,"abc'
    assert "abc" not in rejected[0].reason


def test_an_open_quote_on_the_last_line_is_refused_with_its_line(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, 'id,text\n1,ok\n2,"cut in the mid'))
    assert len(rows) == 1
    assert rejected[0].place == "t.csv line 3"


def test_an_open_quote_that_is_closed_by_a_later_row_swallows_none(tmp_path: Path) -> None:
    content = 'id,text,x\n1,"open,y\n2,b",c,z\n3,e,f\n'
    rows, rejected = read(write(tmp_path, content))
    assert [row["id"] for row in rows] == ["3"]
    assert [each.place for each in rejected] == ["t.csv line 2", "t.csv line 3"]


def test_a_quoted_text_may_have_many_lines(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, 'id,text,x\n1,"a\nb, c\n""d""",y\n2,e,f\n'))
    assert rows[0]["text"] == 'a\nb, c\n"d"'
    assert not rejected


def test_rows_of_another_width_are_refused_with_line_and_reason(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, "id,text,x\n1,a,b\n2\n3,a,b,c\n4,a,b,\n5,a\n"))
    assert [row["id"] for row in rows] == ["1", "4"]
    assert [each.place for each in rejected] == ["t.csv line 3", "t.csv line 4", "t.csv line 6"]
    assert "too few cells: 1 where the header has 3" in rejected[0].reason
    assert "too many cells" in rejected[1].reason


def test_a_lone_cr_ends_a_line(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, "id,text\r1,a\r2,b\r"))
    assert [row["id"] for row in rows] == ["1", "2"]


def test_a_cell_longer_than_pythons_limit_is_read(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, f'id,text\n1,"{"x" * 200_000}"\n2,b\n'))
    assert len(str(rows[0]["text"])) == 200_000
    assert len(rows) == 2
    assert not rejected


def test_ten_megabytes_in_one_cell_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, f"id,text\n1,{'x' * 10_000_000}\n2,b\n"))
    assert [row["id"] for row in rows] == ["2"]
    assert "longer than" in rejected[0].reason


def test_columns_with_one_name_or_none_do_not_hide_each_other(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, "a,a,,b\n1,2,3,4\n"))
    assert rows == [{"a": "1", "a (2)": "2", "column 3": "3", "b": "4"}]


def test_excels_own_first_line_names_the_delimiter(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, "sep=|\nid|text\n1|a,b\n"))
    assert rows == [{"id": "1", "text": "a,b"}]


def test_a_missing_column_names_those_that_exist_but_no_customers_words(tmp_path: Path) -> None:
    path = write(tmp_path, "id,kim@example.com,a very long cell " + "of words " * 9 + "\n1,a,b\n")
    with pytest.raises(SourceFormatError) as error:
        read(path, wanted=["text"])
    assert "no column 'text'; it has: id and 2 more" in str(error.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0\x1c\x1d\x1e")),
                 min_size=3, max_size=3),
        max_size=8,
    ),
    st.sampled_from(",;\t|"),
)  # fmt: skip
def test_whatever_was_written_as_csv_is_read_back(
    tmp_path: Path, cells: list[list[str]], delimiter: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b", "c"], *cells])
    path = tmp_path / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    rows, rejected = read(path, encoding="utf-8", delimiter=delimiter)
    assert [list(row.values()) for row in rows] == cells
    assert not rejected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(), st.text('a1,;"\n\r\t| é').map(str.encode)))
def test_any_bytes_are_rows_or_refusals_and_no_line_is_lost(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    rows, rejected = read(path, encoding="utf-8")
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if '"' not in text:
        filled = [line for line in text.split("\n") if line.strip(",;\t| ").strip()]
        assert len(rows) + len(rejected) >= len(filled) - 1  # one of them is the header


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 1, "text": ', "no valid JSON"),
        ("[1, 2]", "no JSON object"),
        ('{"id": 1, "r": NaN}', "NaN"),
        ('{"id": 1, "r": 1e999}', "too large"),
        ('{"id": ' + "9" * 5000 + "}", "too long"),
        ('{"a": ' * 30 + "1" + "}" * 30, "nested"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested"),
    ],
)
def test_a_broken_line_of_json_costs_itself_only(tmp_path: Path, line: str, reason: str) -> None:
    content = f'{{"id": 1, "text": "a"}}\n{line}\n\n{{"id": 2, "text": "b"}}\n'
    rows, rejected = read(write(tmp_path, content, "t.jsonl"))
    assert [row["id"] for row in rows] == [1, 2]
    assert [each.place for each in rejected] == ["t.jsonl line 2"]
    assert reason in rejected[0].reason
    assert rejected[0].raw == line


def test_objects_inside_of_json_are_columns_with_a_dot(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, '{"a": {"b": {"c": 1}}, "d": [1]}\n', "t.jsonl"))
    assert rows == [{"a.b.c": 1, "d": "[1]"}]


def test_json_lines_may_leave_a_column_out_but_not_all_of_them(tmp_path: Path) -> None:
    content = '{"id": 1}\n{"id": 2, "text": "b"}\n'
    path = write(tmp_path, content, "t.jsonl")
    assert len(read(path, wanted=["id", "text"])[0]) == 2
    with pytest.raises(SourceFormatError, match="no column 'comment'; it has: id, text"):
        read(path, wanted=["comment"])


def test_excel_is_read_below_its_title_with_true_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Survey of January"])
    sheet.append([])
    sheet.append(["id", "when", "score", "text"])
    sheet.append([1, datetime(2026, 1, 5, 18, 30), 4.0, "fine"])  # noqa: DTZ001
    sheet.append([2, date(2026, 1, 6), None, "=1+1"])
    sheet.append([])
    sheet.append([3, 46027.5, "4,5"])
    sheet["A20"] = ""
    book.save(path := tmp_path / "t.xlsx")
    rows, rejected = read(path, wanted=["id", "text"])
    assert rows[0] == {"id": 1, "when": "2026-01-05T18:30:00", "score": 4, "text": "fine"}
    assert rows[2] == {"id": None, "when": None, "score": None, "text": None}
    assert rows[3] == {"id": 3, "when": 46027.5, "score": "4,5", "text": None}
    assert len(rows) == 4
    assert not rejected


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2], "text": ["a", None], "at": [datetime(2026, 1, 5), None]})  # noqa: DTZ001
    pq.write_table(table, path := tmp_path / "t.parquet")
    rows, _ = read(path, wanted=["text"])
    assert rows == [
        {"id": 1, "text": "a", "at": "2026-01-05T00:00:00"},
        {"id": 2, "text": None, "at": None},
    ]


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet", "t.pdf"])
def test_what_is_no_such_file_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceFormatError):
        read(write(tmp_path, "id,text\n1,a\n", name))


def test_a_parquet_file_that_is_cut_is_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"] * 1000}), path := tmp_path / "t.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceFormatError, match="no whole Parquet"):
        read(path)


def test_a_workbook_that_unpacks_to_a_bomb_is_not_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(path := tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    with pytest.raises(SourceFormatError, match="unpacks to far more"):
        read(path)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path, "")) == ([], [])


@pytest.mark.parametrize(
    ("columns", "sample", "guess"),
    [
        (["id", "at", "comment"], [{"id": "1", "at": "2026-01-05", "comment": "ok"}], "comment"),
        (["a", "b"], [{"a": "https://x.example/long/long/long", "b": "too late"}], "b"),
        (["title", "text"], [{"title": "A rather long title", "text": "Longer still"}], "text"),
        (["text_id", "x"], [{"text_id": "abc", "x": "words and more words"}], "x"),
        (["only"], [], "only"),
        (["tag", "text"], [{"tag": "x" * 20, "text": ""}] * 3, "text"),
    ],
)  # fmt: skip
def test_the_column_with_the_words_is_found(
    columns: list[str], sample: list[dict[str, str]], guess: str
) -> None:
    assert guess_text_column(columns, sample) == guess

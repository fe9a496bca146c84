"""Files in a folder, read like a company's inbox: once each, again when changed, never in part."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any, get_args

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import files
from sources.base import Page, RawFeedback, Rejected
from sources.catalogue import OVER_HTTP, build
from sources.files import PAGE_ROWS, Files
from sources.tables import read_table
from voc.company.sources import FileSource, SourceConfig, WebhookSource
from voc.errors import SourceFormatError

REHEARSAL = Path(__file__).parents[2] / "rehearsal" / "company"


def source(folder: Path, **changes: Any) -> Files:
    columns = {"text": "text", "id": "id", "said_at": "at", **changes.pop("columns", {})}
    config = {"kind": "file", "id": "nps", "channel": "survey", "path": "inbox/*.csv"}
    validated = FileSource.model_validate({**config, "columns": columns, **changes})
    built = build(validated, folder=folder, secret=lambda _: None, seed=1)
    assert isinstance(built, Files)
    return built


def write(folder: Path, name: str, ids: range, text: str = "late") -> Path:
    path = folder / "inbox" / name
    path.parent.mkdir(exist_ok=True)
    rows = "".join(f"{i},2026-01-05T10:00:00Z,{text}\n" for i in ids)
    path.write_text("id,at,text\n" + rows, encoding="utf-8")
    return path


def ids(pages: list[Page]) -> list[str]:
    return [item.external_id for page in pages for item in page.items]


def test_a_file_is_read_once_and_not_even_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.csv", range(3))
    first = list(source(tmp_path).fetch(None))
    assert ids(first) == ["0", "1", "2"]
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened again"))
    assert list(source(tmp_path).fetch(first[-1].cursor)) == []
    assert path.exists()


def test_a_file_that_was_only_touched_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.csv", range(3))
    cursor = list(source(tmp_path).fetch(None))[-1].cursor
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(files, "read_table", lambda *_, **__: pytest.fail("parsed again"))
    assert list(source(tmp_path).fetch(cursor)) == []


def test_a_changed_file_is_read_again_and_others_are_not(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", range(3))
    write(tmp_path, "b.csv", range(10, 12))
    cursor = list(source(tmp_path).fetch(None))[-1].cursor
    write(tmp_path, "a.csv", range(5))
    assert ids(list(source(tmp_path).fetch(cursor))) == ["0", "1", "2", "3", "4"]


def test_pages_have_500_rows_and_only_the_last_says_done(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", range(2 * PAGE_ROWS))
    pages = list(source(tmp_path).fetch(None))
    assert [len(page.items) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 0]
    assert ids(list(source(tmp_path).fetch(pages[0].cursor)))[0] == str(PAGE_ROWS)
    assert list(source(tmp_path).fetch(pages[-1].cursor)) == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), max_size=12))
def test_whatever_breaks_off_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, crashes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("company")
    write(folder, "a.csv", range(1200))
    write(folder, "b.csv", range(2000, 2700))
    stored: set[str] = set()
    cursor: str | None = None
    for read_pages in [*crashes, 100]:
        for page, _ in zip(source(folder).fetch(cursor), range(read_pages), strict=False):
            stored.update(ids([page]))
            cursor = page.cursor
    assert stored == {str(i) for i in [*range(1200), *range(2000, 2700)]}


def test_a_file_that_grows_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", range(PAGE_ROWS + 10))
    reading = source(tmp_path).fetch(None)
    next(reading)
    write(tmp_path, "a.csv", range(PAGE_ROWS + 20))
    cursor = list(reading)[-1].cursor
    assert len(ids(list(source(tmp_path).fetch(cursor)))) == PAGE_ROWS + 20


def test_a_file_that_was_replaced_half_way_is_read_from_its_top(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", range(PAGE_ROWS + 10))
    first = next(source(tmp_path).fetch(None))
    write(tmp_path, "a.csv", range(5000, 5000 + PAGE_ROWS + 10))
    assert len(ids(list(source(tmp_path).fetch(first.cursor)))) == PAGE_ROWS + 10


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, "b.csv", range(2))
    (tmp_path / "inbox" / "a.csv").write_text("nr,at,text\n1,2026-01-05,x\n", encoding="utf-8")
    reading = source(tmp_path).fetch(None)
    assert ids([next(reading)]) == ["0", "1"]
    with pytest.raises(SourceFormatError, match=r"inbox/a\.csv: there is no column 'id'"):
        next(reading)


def test_a_line_that_is_cut_is_refused_and_comes_with_the_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", range(3))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    pages = list(source(tmp_path).fetch(None))
    assert ids(pages) == ["0", "1"]
    assert pages[-1].rejected[0].place == "inbox/a.csv line 4"
    path.write_bytes(whole)
    assert ids(list(source(tmp_path).fetch(pages[-1].cursor))) == ["0", "1", "2"]


def test_two_customers_may_say_the_same_and_both_count(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", range(1))
    path.write_text("score,at,text\n5,2026-01-05,ok\n5,2026-01-05,ok\n4,2026-01-05,ok\n")
    by_content = source(tmp_path, columns={"id": None})
    pages = list(by_content.fetch(None))
    assert len(set(ids(pages))) == 3
    assert ids(list(by_content.fetch(None))) == ids(pages)


def test_a_row_taken_back_is_reported_as_deleted(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", range(1))
    path.write_text("id,at,text,gone\n1,2026-01-05,ok,\n2,2026-01-05,,yes\n")
    (page,) = source(tmp_path, columns={"deleted": "gone"}).fetch(None)
    assert page.deleted == ["2"]
    assert ids([page]) == ["1"]


def test_a_quarantined_row_can_be_read_again_after_a_fix(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", range(1))
    path.write_text('id,at,text\n1,05/01/2026,late\n2,"open\n')
    (page,) = source(tmp_path).fetch(None)
    fixed = source(tmp_path, date_format="%d/%m/%Y")
    wrong_time, open_quote = page.rejected
    found = fixed.parse(wrong_time.raw)
    assert isinstance(found, RawFeedback)
    assert found.external_id == "1"
    assert isinstance(fixed.parse(open_quote.raw), Rejected)


def test_a_cursor_that_is_not_ours_means_reading_again(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", range(2))
    for cursor in ("", "{", "[]", '{"files": {"inbox/a.csv": {"x": 1}}}', "null"):
        assert ids(list(source(tmp_path).fetch(cursor))) == ["0", "1"]


def test_an_empty_folder_has_nothing_to_say(tmp_path: Path) -> None:
    assert list(source(tmp_path).fetch(None)) == []


def test_the_rehearsal_companys_german_export_is_read_as_it_is() -> None:
    csat = source(
        REHEARSAL,
        path="inbox/*/csat.csv",
        decimal=",",
        timezone="Europe/Berlin",
        rating_scale="csat",
        columns={
            "text": "Kommentar",
            "id": "Nr",
            "said_at": "Datum",
            "rating": "Note",
            "email": "E-Mail",
            "account": "Kundennummer",
            "consent": "Einwilligung",
        },
    )
    pages = list(csat.fetch(None))
    items = {item.external_id: item for page in pages for item in page.items}
    assert items["5001"].said_at.isoformat() == "2026-01-05T10:20:00+00:00"
    assert items["5001"].rating is not None
    assert items["5001"].rating.value == 2
    assert items["5004"].consent is True
    refused = [each.place for page in pages for each in page.rejected]
    assert all(place.startswith("inbox/2026-W") for place in refused)


def test_every_kind_of_the_company_file_has_its_connector() -> None:
    assert {FileSource, WebhookSource, *OVER_HTTP} == set(get_args(get_args(SourceConfig)[0]))


@pytest.mark.parametrize("suffix", ["xlsx", "parquet"])
def test_a_damaged_file_is_one_kind_of_error_and_never_another(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "xlsx":
        book = openpyxl.Workbook()
        book.worksheets[0].append(["text", "score"])
        book.worksheets[0].append(["Late again", 3])
        book.save(whole)
    else:
        table = pa.table({"text": ["Late again"] * 50, "score": [3] * 50})
        pq.write_table(table, whole)
    rng = Random(7)
    refused = 0
    for n in range(150):
        content = bytearray(whole.read_bytes())
        for _ in range(4):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path = tmp_path / f"{n}.{suffix}"
        path.write_bytes(content)
        try:
            list(read_table(path))
        except SourceFormatError:
            refused += 1
    assert refused > 10

"""`voc init` and `voc check`, as they are typed."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from apps.cli.company_tables import hours, print_company
from apps.cli.main import app
from voc.company import load_company
from voc.company.hours import BusinessHours
from voc.settings import get_settings

REHEARSAL = Path(__file__).parents[2] / "rehearsal" / "company"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no settings from this machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("VOC_HOME", "VOC_COMPANY"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    return tmp_path


def voc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fresh_company_is_right_and_its_sample_is_found() -> None:
    started = voc("init", "shop")

    assert started.exit_code == 0, started.output
    assert "voc check" in started.stdout
    assert {str(path) for path in map(Path, contents(Path("shop")))} == {
        "shop/voc.yaml",
        "shop/voc.schema.json",
        "shop/inbox/feedback.csv",
    }
    checked = voc("check", "shop")
    assert checked.exit_code == 0, checked.output
    assert checked.stderr == ""
    assert "Example Shop" in checked.stdout
    assert "1 file" in checked.stdout


def test_the_file_here_is_the_one_that_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    voc("init", ".")

    assert "ok Example Shop" in voc("check").stdout


@pytest.mark.parametrize("name", ["voc.yaml", "voc.schema.json", "inbox/feedback.csv"])
def test_init_touches_nothing_that_is_there(name: str, here: Path) -> None:
    taken = here / "shop" / name
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")

    result = voc("init", "shop")

    assert result.exit_code == 2
    assert f"shop/{name} is there already" in result.stderr
    assert contents(here) == {str(taken): b"mine"}


def test_init_into_a_file_is_wrong_use(here: Path) -> None:
    (here / "shop").write_text("mine")

    result = voc("init", "shop")

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_every_mistake_is_told_and_2_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDI_TOKEN", raising=False)
    voc("init", "shop")
    path = Path("shop/voc.yaml")
    fedi = "{id: fedi, kind: mastodon, server: a.example, tags: [x], token_env: FEDI_TOKEN}"
    text = path.read_text(encoding="utf-8")
    text = text.replace("languages: [en]", "languages: [en, fr]").replace("cx@shop.example", "cx")
    path.write_text(text.replace("routing:\n", f"  - {fedi}\nrouting:\n"), encoding="utf-8")

    result = voc("check", "shop")

    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert all(line.startswith("shop/voc.yaml, line ") for line in lines[:3])
    assert "'cx' is no e-mail address" in lines[0]
    assert "FEDI_TOKEN is not set" in lines[1]
    assert "no mails in 'fr'; there are in: en, de, es" in lines[2]
    assert lines[3] == "3 mistakes."

    monkeypatch.setenv("FEDI_TOKEN", "x")
    assert "2 mistakes." in voc("check", "shop").stderr


def test_what_is_probably_not_meant_is_a_warning_with_its_line() -> None:
    voc("init", "shop")
    Path("shop/inbox/feedback.csv").write_text("id,words\n1,late\n")
    text = Path("shop/voc.yaml").read_text(encoding="utf-8")
    other = "  - {id: other, kind: file, channel: mail, path: no/*.csv, columns: {text: t}}\n"
    Path("shop/voc.yaml").write_text(text.replace("routing:\n", f"{other}routing:\n"))

    result = voc("check", "shop")

    assert result.exit_code == 0
    assert "no file fits 'no/*.csv' yet" in result.stderr
    assert "inbox/feedback.csv: there is no column 'comment'" in result.stderr
    assert result.stderr.count("warning: shop/voc.yaml, line ") == 2


def test_a_source_that_nobody_can_sign_for_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    voc("init", "shop")
    text = Path("shop/voc.yaml").read_text(encoding="utf-8")
    pushes = "kind: webhook, provider: standard, channel: mail, columns: {text: t}"
    sources = "".join(f"  - {{id: {name}, {pushes}}}\n" for name in ("crm", "nps_form"))
    Path("shop/voc.yaml").write_text(text.replace("routing:\n", f"{sources}routing:\n"))
    monkeypatch.setenv("VOC_WEBHOOK_SECRETS", '{"crm": "no base64 at all, but long"}')
    get_settings.cache_clear()

    told = voc("check", "shop").stderr

    assert "VOC_WEBHOOK_SECRETS has no secret for 'nps_form': what it sends is refused" in told
    assert "the secret for 'crm' must be whsec_" in told
    assert "no base64 at all" not in told


def test_without_a_company_file_it_says_how_to_start() -> None:
    for arguments in (["check"], ["check", "nowhere"], ["check", "."]):
        result = voc(*arguments)

        assert result.exit_code == 2
        assert "voc init DIR" in result.stderr


def test_the_schema_is_printed_for_editors() -> None:
    result = voc("check", "--schema")

    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    assert set(schema["required"]) == {"company", "departments", "sources"}
    voc("init", "shop")
    assert Path("shop/voc.schema.json").read_text(encoding="utf-8") == result.stdout


def test_the_rehearsal_company_is_shown_in_80_columns() -> None:
    out = io.StringIO()
    console = Console(width=80, file=out)
    company = load_company(REHEARSAL / "voc.yaml")
    found = {source.id: [Path("a")] for source in company.sources}

    now = datetime(2026, 3, 6, 12, 5, tzinfo=UTC)
    print_company(console, company, Path("voc.yaml"), found, now=now)

    shown = out.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    for topic in company.topics:
        assert topic.id in shown
    assert "Fri 2026-03-06 14:00" in shown  # the loop, in Berlin
    assert "Mon 2026-03-09 06:30" in shown
    assert "in en, de, es" in shown


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (("mon", "tue", "wed", "thu", "fri"), "mon-fri 09:00-17:00\nUTC"),
        (("mon", "wed", "fri"), "mon wed fri 09:00-17:00\nUTC"),
        (("sun",), "sun 09:00-17:00\nUTC"),
    ],
)
def test_hours_are_told_in_one_cell(days: tuple[str, ...], shown: str) -> None:
    assert hours(BusinessHours.model_validate({"days": days})) == shown

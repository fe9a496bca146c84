"""`voc analyze` as a newcomer starts it: the real models, the rehearsal company's subjects."""

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.cli.main import app

STARTER = Path(__file__).parents[2] / "voc" / "company" / "starter"


@pytest.mark.model
def test_the_starter_s_feedback_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sample = STARTER / "inbox" / "feedback.csv"
    arguments = ["analyze", str(sample), "--company", str(STARTER / "voc.yaml"), "--format", "csv"]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.stderr
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    departments = {line["row"]: line["department"] for line in reversed(lines)}
    assert departments["3"] == "payments"
    assert departments["4"] == "products"
    assert lines[0]["sentiment"] == "positive"
    assert lines[1]["sentiment"] == "negative"
    assert any("[phone]" in line["statement"] for line in lines)
    assert any("[order]" in line["statement"] for line in lines)
    assert "10 rows: 9 with text" in result.stderr
    assert list(tmp_path.iterdir()) == []

"""`voc up`, whole: a server, a worker, the web app, and everything gone afterwards."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.cli.children import Children
from apps.cli.up import children_environment, refuse_open_server
from tests.standing import Stand, Standing, descendants
from voc.errors import ConfigurationError
from voc.settings import Settings

# A crashed run is tried once more by the automation: Prefect on SQLite is busy now and then.
FINAL = {"COMPLETED", "FAILED", "CANCELLED"}


def deployments(standing: Standing) -> dict[str, Any]:
    with standing.api as api:
        found = api.post("/deployments/filter", json={}).raise_for_status().json()
    return {deployment["name"]: deployment for deployment in found}


def run(standing: Standing, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Start a deployment as the button in the UI does, and wait for its end."""
    with standing.api as api:
        path = f"/deployments/{deployments(standing)[name]['id']}/create_flow_run"
        started = api.post(path, json={"parameters": parameters}).raise_for_status().json()
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            run: dict[str, Any] = api.get(f"/flow_runs/{started['id']}").json()
            if run["state"]["type"] in FINAL:
                return run
            time.sleep(0.5)
    raise AssertionError(f"still {run['state']}")


@pytest.mark.flow
@pytest.mark.model
def test_a_person_runs_the_loop_with_parameters_and_finds_its_report(stand: Stand) -> None:
    standing = stand()

    done = run(standing, "loop", {"params": {"collect": {"sources": ["nps"]}}})

    assert done["state"]["name"] == "Completed", done["state"]["message"]
    with standing.api as api:
        wanted = {"artifacts": {"key": {"any_": ["report"]}}}
        (report,) = api.post("/artifacts/latest/filter", json=wanted).json()
    assert "Shop & Co" in report["data"]
    assert len(list(standing.home.glob("mailbox/*/*.eml"))) >= 6


@pytest.mark.flow
def test_every_deployment_is_there_with_its_schedule(stand: Stand) -> None:
    found = deployments(stand())

    active = {
        name: (schedule["schedule"]["cron"], schedule["schedule"]["timezone"])
        for name, deployment in found.items()
        for schedule in deployment["schedules"]
        if schedule["active"]
    }
    assert len(found) == 9
    assert active == {
        "loop": ("0 3 * * *", "Europe/Berlin"),  # the company says so
        "follow-up": ("*/10 * * * *", "Europe/Berlin"),
        "close": ("5-59/10 * * * *", "Europe/Berlin"),
        "measure": ("30 6 * * mon", "Europe/Berlin"),
        "learn": ("0 3 * * sun", "Europe/Berlin"),
    }


@pytest.mark.flow
def test_a_parameter_that_does_not_fit_is_refused_before_anything_runs(stand: Stand) -> None:
    standing = stand()
    follow_up = deployments(standing)["follow-up"]["id"]

    with standing.api as api:
        answer = api.post(
            f"/deployments/{follow_up}/create_flow_run",
            json={"parameters": {"params": {"limit": -1}}},
        )

    assert answer.is_client_error
    assert "minimum" in answer.text


@pytest.mark.flow
def test_deploying_again_keeps_what_operations_changed(stand: Stand) -> None:
    standing = stand()
    before = deployments(standing)
    paused, switched = before["route"], before["measure"]
    with standing.api as api:
        api.patch(f"/deployments/{paused['id']}", json={"paused": True}).raise_for_status()
        schedule = f"/deployments/{switched['id']}/schedules/{switched['schedules'][0]['id']}"
        api.patch(schedule, json={"active": False}).raise_for_status()

    told = standing.voc("deploy")

    assert told.returncode == 0, told.stderr
    assert "route/route: updated; paused, stays so" in told.stdout
    assert "measure/measure: updated; monday-morning is off, stays so" in told.stdout
    after = deployments(standing)
    assert after["route"]["paused"]
    assert not after["measure"]["schedules"][0]["active"]
    assert not after["loop"]["paused"]


@pytest.mark.flow
def test_the_web_app_stands_beside_it(stand: Stand) -> None:
    assert httpx.get(f"{stand().web}/health", trust_env=False).json() == {"status": "ok"}


@pytest.mark.flow
def test_a_second_one_on_the_same_home_says_so(stand: Stand) -> None:
    told = stand().voc("up", "--prefect-port", "0")

    assert told.returncode == 1
    assert "voc up is at work already" in told.stderr


@pytest.mark.flow
def test_after_ctrl_c_nothing_is_left(stand: Stand) -> None:
    standing = stand()
    running = descendants(standing.process.pid)
    assert {"prefect server", "prefect worker", "-m apps.desk"} <= {
        name
        for name in ("prefect server", "prefect worker", "-m apps.desk")
        if any(name in line for line in running.values())
    }

    assert standing.interrupt() == 0

    assert [pid for pid in running if is_alive(pid)] == []
    assert "Stopping" in standing.output.read_text()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def signals() -> Any:
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_the_child_that_ends_by_itself_is_named_and_the_others_are_stopped(
    tmp_path: Path,
) -> None:
    with Children(tmp_path) as children:
        lasting = children.start("lasting", ["http.server", "0", "--bind", "127.0.0.1"], {})
        children.start("short", ["platform"], {})

        ended = children.wait_for_one_to_end()

        assert ended.name == "short"
        assert lasting.process.poll() is None
    assert lasting.process.poll() is not None


def test_a_server_that_others_can_reach_needs_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everywhere = "0.0.0.0"
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    with pytest.raises(ConfigurationError, match="PREFECT_SERVER_API_AUTH_STRING"):
        refuse_open_server(everywhere)
    refuse_open_server("127.0.0.1")
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "cx:secret")
    refuse_open_server(everywhere)


def test_children_find_everything_from_any_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "cx:secret")
    settings = Settings(home=Path("h"), database_url="sqlite:///h/own.db", web_port=8400)

    told = children_environment(settings, Path("voc.yaml"))

    assert told["VOC_HOME"] == str(home / "h")
    assert told["VOC_COMPANY"] == str(home / "voc.yaml")
    assert told["VOC_DATABASE_URL"] == f"sqlite:///{home / 'h' / 'own.db'}"
    assert told["VOC_PUBLIC_URL"] == "http://127.0.0.1:8400"
    assert told["PREFECT_API_AUTH_STRING"] == "cx:secret"

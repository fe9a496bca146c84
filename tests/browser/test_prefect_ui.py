"""What CX operations see in Prefect's UI: the deployments, the form of a run, the report."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.flows.test_up import deployments, run
from tests.pictures import picture
from tests.standing import Stand, Standing

pytestmark = [pytest.mark.browser, pytest.mark.flow]

WAIT_MS = 15_000


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page(viewport={"width": 1400, "height": 1000}) as page:
        page.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        yield page


def open_ui(page: Page, standing: Standing, path: str) -> None:
    page.goto(f"{standing.prefect}/v2/{path}")


def test_the_deployments_are_listed_with_their_schedules(page: Page, stand: Stand) -> None:
    open_ui(page, stand(), "deployments")

    for name in ("loop", "collect", "understand", "route", "follow-up", "close", "measure"):
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
        expect(row).to_contain_text("team:cx")
        expect(row).to_contain_text("1 schedules" if name != "loop" else "At 03:00 AM")
    picture(page, "deployments")


def test_a_deployment_says_what_it_does_and_when_it_runs(page: Page, stand: Stand) -> None:
    standing = stand()
    follow_up = deployments(standing)["follow-up"]["id"]
    open_ui(page, standing, f"deployments/deployment/{follow_up}?tab=Description")

    expect(page.get_by_text("Send what we owe")).to_be_visible()
    expect(page.get_by_text("Run it by hand")).to_be_visible()
    expect(page.get_by_text("Every 10 minutes").first).to_be_visible()
    picture(page, "deployment")


def test_a_run_is_started_with_a_form_of_plain_words(page: Page, stand: Stand) -> None:
    standing = stand()
    open_ui(page, standing, f"deployments/deployment/{deployments(standing)['loop']['id']}/run")

    for title in ("Collect", "Sources", "Follow up", "Messages at most", "Measure"):
        expect(page.get_by_text(f"{title} (Optional)").first).to_be_visible()
    expect(page.get_by_text("Ids from the company file")).to_be_visible()
    picture(page, "run_form")


def test_the_report_is_found_among_the_artifacts(page: Page, stand: Stand) -> None:
    standing = stand()
    assert run(standing, "measure", {})["state"]["name"] == "Completed"

    open_ui(page, standing, "artifacts")
    page.get_by_text("report", exact=True).first.click()
    page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$")).first.click()

    expect(page.get_by_text("Shop & Co").first).to_be_visible()
    picture(page, "report")

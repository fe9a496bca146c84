"""The desk for everybody: nothing on any of its pages hinders anybody, whatever their role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine
from sqlmodel import Session

from apps.desk.access.door import COOKIE
from apps.desk.access.gate import HOMES
from tests.barriers import AXE, WIDE, barriers
from tests.desk_props import happen
from tests.desk_visitors import let_in
from tests.factories import (
    make_alert,
    make_answer,
    make_link,
    save,
    save_open_ticket,
    save_told_loop,
    save_waiting_reply,
)
from tests.integration.test_desk_routes import INSIDE
from tests.story import Story
from tests.walks import Walk
from voc.models import LinkPurpose, Role, Verdict
from voc.store.database import transaction

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run `npm ci`"),
]

NOT_LINKED = {Role.OWNER: {"/desk/approvals/{message_id}"}}
"""Pages that nobody finds by links who is no approver."""
WITH_NOTHING = ("/desk/queue?whose=snoozed", "/desk/messages?show=held", "/desk/themes?weeks=4")


@pytest.fixture(scope="module")
def further(story: Story) -> list[str]:
    return happen(story)


def save_unclear_reply(session: Session) -> None:
    save_told_loop(session)
    save(
        session,
        make_answer(verdict=Verdict.UNCLEAR, words="Well, that depends."),
        make_alert(subject="answer:1", step="judge.1", loop_id=1),
        make_link("judge", LinkPurpose.JUDGE, message_id=2),
    )


@contextmanager
def looking(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@contextmanager
def signed_in(browser: Browser, story: Story, site: str, role: Role) -> Iterator[Page]:
    departments = [d.id for d in story.place.company.departments] if role is Role.OWNER else []
    token = let_in(story.place.engine, role, departments, now=story.now)
    with looking(browser) as page:
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
        yield page


def pages_of(role: Role) -> list[str]:
    theirs = [r.path for r in INSIDE if r.method == "GET" and role in r.gate.roles]
    return [path for path in theirs if not path.endswith((".csv", "/html")) and path != "/desk"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_no_page_hinders_anybody(
    browser: Browser, story: Story, company_site: str, further: list[str], role: Role
) -> None:
    pages = pages_of(role)
    with signed_in(browser, story, company_site, role) as page:
        walk = Walk(page, company_site, pages, barriers)
        walk.go(HOMES[role], *further)
        walk.go(*WITH_NOTHING)
    assert walk.found == []
    assert set(pages) - walk.seen == NOT_LINKED.get(role, set())


def test_auditors_see_only_pages_that_others_see_with_more_on_them() -> None:
    seen = {*pages_of(Role.OPERATIONS), *pages_of(Role.ADMINISTRATOR)}
    assert set(pages_of(Role.AUDITOR)) <= seen


def test_what_is_said_about_a_wrong_form_hinders_nobody(
    browser: Browser, story: Story, company_site: str
) -> None:
    with signed_in(browser, story, company_site, Role.OWNER) as page:
        page.goto(f"{company_site}/desk/queue")
        page.locator(".queue a").first.click()
        page.on("dialog", lambda asked: asked.accept())  # where no customer could be told of it
        page.get_by_role("button", name="Resolve", exact=True).click()
        assert "Nothing was saved" in page.get_by_role("alert").inner_text()
        assert barriers(page) == []


@pytest.mark.parametrize(
    ("save", "paths"),
    [
        (partial(save_told_loop, language="de"), ["a/answer", "u/silence", "a/none", "sign-in"]),
        (save_open_ticket, ["t/accept", "t/reassign", "t/resolve"]),
        (partial(save_waiting_reply, content=b"We spoke with them."), ["p/approve", "api/v1/docs"]),
        (save_unclear_reply, ["j/judge", "", "desk/nothing"]),
    ],
    ids=["customers", "owners", "approvers", "judges"],
)
def test_no_page_that_needs_no_account_hinders_anybody(
    browser: Browser, engine: Engine, site: str, save: Callable[[Session], None], paths: list[str]
) -> None:
    with transaction(engine) as session:
        save(session)
    with looking(browser) as page:
        for path in paths:
            page.goto(f"{site}/{path}")
            assert barriers(page) == [], path


def test_barriers_are_found_where_there_are_some(browser: Browser) -> None:
    with looking(browser) as page:
        page.set_content(BAD)
        found = "\n".join(barriers(page))
    for rule in ("image-alt", "color-contrast", "target-size"):
        assert rule in found
    assert "focus not seen" in found
    assert "without a table" in found
    assert "at 320 px: " in found
    assert "with large text: cut off" in found


BAD = """<!doctype html><html lang=en><title>Bad</title><main><h1>Bad</h1><img src=x>
<style>
a { outline: none !important } p { overflow: hidden; width: 4em; white-space: nowrap }</style>
<p style="color: #999">too faint, and too long to be seen whole</p><section><svg></svg></section>
<a href=a style="font-size: 6px">a</a><a href=b style="font-size: 6px">b</a>
<div style="width: 900px">wide</div></main>"""

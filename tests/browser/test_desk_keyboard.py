"""The desk without a mouse, on a telephone, and in the reader's own time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.desk.access.door import COOKIE
from tests.barriers import WIDE
from tests.desk_visitors import let_in
from tests.pictures import picture
from tests.story import Story
from voc.models import Role, Ticket
from voc.store.database import transaction

pytestmark = pytest.mark.browser

MOST_STOPS = 200
# Where the keyboard is: is it seen, and does it go down the page?
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const drawn = [null, "::after"].map(part => getComputedStyle(at, part))
    .some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  const box = at.getBoundingClientRect();
  return {html: at.outerHTML.slice(0, 120), drawn, within: !!at.closest("main"),
          shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight};
}"""
MOVES = """() => [...document.querySelectorAll("*")].filter(e => {
  const style = getComputedStyle(e);
  return parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0;
}).map(e => e.outerHTML.slice(0, 120))"""


@contextmanager
def owner_of(
    browser: Browser, story: Story, site: str, department: str, zone: str = "", **context: Any
) -> Iterator[Page]:
    """An owner's browser, with what nobody has taken yet. Each call is an account of its own."""
    token = let_in(
        story.place.engine,
        Role.OWNER,
        [department],
        f"{department}{len(zone)}@marlowfinch.example",
        now=story.now,
        timezone=zone or None,
    )
    opened = browser.new_context(**({"viewport": WIDE} | context))
    opened.add_cookies([{"name": COOKIE, "value": token, "url": site}])
    page = opened.new_page()
    page.goto(f"{site}/desk/queue?whose=unassigned")
    yield page
    opened.close()


def tab_through(page: Page) -> list[dict[str, Any]]:
    """Every place that the Tab key comes to, from the top of the page until it leaves it."""
    stops: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError("the keyboard does not find its way out of the page")


def test_each_stop_of_the_keyboard_is_seen(
    browser: Browser, story: Story, company_site: str
) -> None:
    with owner_of(browser, story, company_site, "products") as page:
        ticket = page.locator(".queue a").first.get_attribute("href")
        for path in ("/desk/queue", ticket):
            page.goto(f"{company_site}{path}")
            stops = tab_through(page)
            assert "Skip to the content" in stops[0]["html"]
            assert [stop for stop in stops if not (stop["drawn"] and stop["shown"])] == []
            assert any(stop["within"] for stop in stops)


def test_the_skip_link_leads_past_the_navigation(
    browser: Browser, story: Story, company_site: str
) -> None:
    with owner_of(browser, story, company_site, "products") as page:
        page.keyboard.press("Tab")
        picture(page, "keyboard-skip")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED)["within"]


def test_an_owner_works_by_keyboard_alone(
    browser: Browser, story: Story, company_site: str
) -> None:
    with owner_of(browser, story, company_site, "app") as page:
        page.keyboard.press("j")
        picture(page, "keyboard-queue")
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/tickets/*")  # loaded, its script too
        ticket_id = int(page.url.partition("?")[0].rpartition("/")[2])
        for key, field in (("n", "department"), ("g", "owner"), ("s", "until")):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.name") == field
            page.keyboard.press("Escape")  # out of a list that takes letters
        press(page, "a", "yours now")
        press(page, "u", "nobody")
        page.keyboard.press("e")
        page.keyboard.type("A saved login was not renewed.")
        page.keyboard.press("Tab")
        page.keyboard.type("We reset the sign-in on our side.")
        page.keyboard.press("Tab")
        picture(page, "keyboard-resolve")
        page.once("dialog", lambda dialog: dialog.accept())  # it cannot be taken back
        press(page, "Enter", "closed at once")
        with transaction(story.place.engine) as session:
            cause = session.get_one(Ticket, ticket_id).root_cause
        assert cause == "A saved login was not renewed."
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        picture(page, "keyboard-help")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.keyboard.press("q")
        page.wait_for_url("**/desk/queue?whose=unassigned")


def test_what_was_typed_outlives_the_session_and_is_gone_once_it_is_saved(
    browser: Browser, story: Story, company_site: str
) -> None:
    typed = "They called twice."
    with owner_of(browser, story, company_site, "products") as page:
        page.locator(".queue a").first.click()
        comment = page.get_by_role("textbox", name="Comment")
        comment.fill(typed)
        session = page.context.cookies()[0]["value"]
        ticket = page.url
        page.context.clear_cookies()
        page.get_by_role("button", name="Comment", exact=True).click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.context.add_cookies([{"name": COOKIE, "value": session, "url": company_site}])
        page.goto(ticket)
        expect(comment).to_have_value(typed)
        # Two clicks at once: the second one sends nothing.
        page.get_by_role("button", name="Comment", exact=True).dblclick()
        expect(page.get_by_role("status")).to_contain_text("Your comment is there")
        expect(comment).to_have_value("")
        expect(page.locator(".history blockquote")).to_have_text([typed])


def press(page: Page, key: str, said: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text(said)
    page.wait_for_load_state()  # the keys are a script's


def test_keys_do_nothing_while_somebody_types(
    browser: Browser, story: Story, company_site: str
) -> None:
    with owner_of(browser, story, company_site, "products") as page:
        page.locator(".queue a").first.click()
        before = page.url
        page.get_by_role("textbox", name="Comment").fill("")
        page.keyboard.type("a note about an app: see ticket, please")
        assert page.url == before
        assert page.get_by_role("textbox", name="Comment").input_value().startswith("a note about")
        assert "nobody" in page.get_by_role("main").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_telephone_the_areas_are_behind_a_button(
    browser: Browser, story: Story, company_site: str, *, scripts: bool
) -> None:
    small: dict[str, Any] = {
        "viewport": {"width": 375, "height": 812},
        "java_script_enabled": scripts,
    }
    with owner_of(browser, story, company_site, "products", **small) as page:
        areas = page.get_by_role("navigation", name="Areas")
        expect(areas).to_be_hidden()
        page.get_by_role("button", name="Menu").press("Enter")
        expect(areas).to_be_visible()
        picture(page, f"menu-375-{scripts}")
        page.keyboard.press("Escape")
        expect(areas).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("button", name="Close").click()
        expect(areas).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
        areas.get_by_role("link", name="Customers").click()
        page.wait_for_url("**/desk/customers")


def test_nothing_moves_for_who_wants_no_motion(
    browser: Browser, story: Story, company_site: str
) -> None:
    with owner_of(browser, story, company_site, "products", reduced_motion="reduce") as page:
        assert page.evaluate(MOVES) == []


def test_times_are_those_of_the_readers_zone(
    browser: Browser, story: Story, company_site: str
) -> None:
    said = []
    for zone in ("", "America/New_York", "Asia/Kolkata"):
        with owner_of(browser, story, company_site, "products", zone) as page:
            page.locator(".queue a").first.click()
            said.append(page.locator(".history time").last.inner_text())
    assert said == ["19 Jan 2026, 07:00", "19 Jan 2026, 01:00", "19 Jan 2026, 11:30"]

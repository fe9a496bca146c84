"""The desk with the example company running: what its people do with it, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import func
from sqlmodel import col, select

from tasks.measure import count_weeks
from tests.barriers import WIDE
from tests.pictures import picture, pictures
from tests.played import passes
from tests.story import Story
from voc.actions import accounts
from voc.models import Identity, IdentityKind, Loop, LoopState, LoopTicket, Role, Ticket
from voc.models import TicketState as Is
from voc.passwords import hash_password
from voc.store.database import transaction

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
OWNER, CX = "dana@marlowfinch.example", "cleo@marlowfinch.example"
OTHER = "sam@marlowfinch.example"
PEOPLE = (
    (OWNER, "Dana", Role.OWNER, ["delivery"]),
    (OTHER, "Sam", Role.OWNER, ["stores"]),
    (CX, "Cleo", Role.OPERATIONS, []),
)
DONE = "We found the parcel, sent it out by express and took the fee off."
LINK = re.compile(r"https?://[^/\s]+(/a/\S+verdict=not_solved)")


@pytest.fixture(scope="module", autouse=True)
def people(story: Story) -> None:
    """Owners of two departments, and somebody of CX operations."""
    kept = hash_password(PASSWORD)
    for email, name, role, departments in PEOPLE:
        with transaction(story.place.engine) as session:
            accounts.create(
                session,
                story.place.company,
                email=email,
                name=name,
                role=role,
                departments=departments,
                password_hash=kept,
                actor="test",
                now=story.now,
            )


@contextmanager
def entered(browser: Browser, site: str, email: str, **context: Any) -> Iterator[Page]:
    """Somebody's browser, after they went through the sign-in page."""
    context = browser.new_context(**({"viewport": WIDE} | context))
    page = context.new_page()
    page.goto(f"{site}/desk")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def waiting(story: Story) -> tuple[int, int, int]:
    """Of the delivery department's open tickets the one to keep, hand over, and resolve.

    The last is all that its customer waits for, and they can be told.
    """
    alone = select(LoopTicket.loop_id).group_by(col(LoopTicket.loop_id)).having(func.count() == 1)
    reached = select(Identity.customer_id).where(Identity.kind == IdentityKind.EMAIL)
    with transaction(story.place.engine) as session:
        tickets = session.exec(
            select(Ticket.id).where(Ticket.department == "delivery", Ticket.state == Is.OPEN)
        ).all()
        tellable = session.exec(
            select(LoopTicket.ticket_id)
            .join(Loop, col(Loop.id) == LoopTicket.loop_id)
            .where(
                col(LoopTicket.ticket_id).in_(tickets),
                col(LoopTicket.loop_id).in_(alone),
                col(Loop.customer_id).in_(reached),
                Loop.state == LoopState.OPEN,
            )
        ).first()
    assert tellable is not None
    keep, other = [ticket for ticket in tickets if ticket and ticket != tellable][:2]
    return keep, other, tellable


def facts_of(story: Story, ticket_id: int) -> Any:
    """The ticket as it is, and whom it is about."""
    with transaction(story.place.engine) as session:
        ticket = session.get_one(Ticket, ticket_id)
        email = session.exec(
            select(Identity.value).where(
                Identity.customer_id == ticket.customer_id, Identity.kind == IdentityKind.EMAIL
            )
        ).first()
        return SimpleNamespace(**ticket.model_dump(), email=email)


def row_of(page: Page, ticket_id: int) -> Locator:
    link = page.locator(f'a[href="/desk/tickets/{ticket_id}"]')
    return page.get_by_role("listitem").filter(has=link)


def open_ticket(page: Page, ticket_id: int) -> None:
    row_of(page, ticket_id).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(ticket_id))


def test_not_solved_comes_back_one_level_up_and_operations_see_all_of_it(
    browser: Browser, story: Story, company_site: str
) -> None:
    keep, other, tell = waiting(story)
    with entered(browser, company_site, OWNER) as owner:
        pictures(owner, "story-1-queue")
        take(owner, keep)
        owner.get_by_role("link", name="Queue").first.click()
        hand_over(owner, other, to="stores")
        expect(row_of(owner, other)).to_have_count(0)
        resolve(owner, tell)
    assert facts_of(story, keep).owner == OWNER
    assert facts_of(story, other).department == "stores"
    assert facts_of(story, tell).state is Is.RESOLVED

    passes(story, hours=6)
    story.runs()
    answer_not_solved(browser, company_site, story, facts_of(story, tell).email)
    passes(story, hours=1)
    story.runs()
    count_weeks.fn(story.now)
    back = facts_of(story, tell)
    assert (back.state, back.round, back.level) == (Is.OPEN, 2, 1)

    with entered(browser, company_site, OWNER) as owner:
        expect(row_of(owner, tell)).to_contain_text("level 1")
        pictures(owner, "story-7-back")
        open_ticket(owner, tell)
        expect(owner.get_by_role("main")).to_contain_text("Half of it is missing.")
        pictures(owner, "story-8-back")
    operations_see_it(browser, company_site, tell, back.customer_id)


def take(owner: Page, ticket_id: int) -> None:
    open_ticket(owner, ticket_id)
    owner.get_by_role("button", name="Accept").click()
    expect(owner.get_by_role("status")).to_contain_text("yours now")
    pictures(owner, "story-2-taken")


def hand_over(owner: Page, ticket_id: int, *, to: str) -> None:
    open_ticket(owner, ticket_id)
    owner.locator("summary", has_text="Not ours").click()
    owner.get_by_label("Which department owns this?").select_option(to)
    pictures(owner, "story-3-not-ours")
    owner.get_by_role("button", name="Hand over").click()
    expect(owner.get_by_role("status")).to_contain_text("handed over")


def resolve(owner: Page, ticket_id: int) -> None:
    open_ticket(owner, ticket_id)
    resolve_in_place(owner)


def resolve_in_place(owner: Page) -> None:
    owner.get_by_label("Root cause").fill("The depot had it on the wrong shelf.")
    owner.get_by_label("What was done").fill(DONE)
    owner.get_by_role("button", name="See what the customer gets").click()
    expect(owner.locator("#reply")).to_contain_text(DONE)
    pictures(owner, "story-4-preview")
    owner.get_by_role("button", name="Resolve", exact=True).click()
    expect(owner.get_by_role("status")).to_contain_text("resolved")
    pictures(owner, "story-5-resolved")


def answer_not_solved(browser: Browser, site: str, story: Story, email: str) -> None:
    """The customer follows the link of their mail, to a page in their language. No scripts."""
    (mail,) = [text for text in story.mails(to=email) if DONE in text]
    found = LINK.search(mail)
    assert found
    context = browser.new_context(java_script_enabled=False, viewport=WIDE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site + found[1])
    pictures(page, "story-6-customer")
    page.locator("[name=words]").fill("Half of it is missing.")
    page.locator("button[value=not_solved]").click()
    expect(page.get_by_role("status")).to_be_visible()
    picture(page, "story-6-customer-thanks")
    context.close()


def operations_see_it(browser: Browser, site: str, ticket_id: int, customer_id: int) -> None:
    with entered(browser, site, CX) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("The loop at a glance")
        for area in ("Overview", "Trends", "Departments", "Sources", "Loop leaks", "Messages"):
            page.get_by_role("navigation", name="Areas").get_by_role("link", name=area).click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            pictures(page, f"story-9-{area.lower().replace(' ', '-')}")
        page.get_by_role("link", name=re.compile("Reply")).first.click()
        expect(page.get_by_role("main")).to_contain_text(DONE)
        page.goto(f"{site}/desk/tickets/{ticket_id}")
        page.get_by_role("link", name=f"Customer {customer_id}").click()
        timeline = page.get_by_role("main")
        for said in (DONE, "Half of it is missing.", f"Ticket {ticket_id}"):
            expect(timeline).to_contain_text(said)
        pictures(page, "story-9-customer")


def test_without_scripts_an_owner_does_the_same(
    browser: Browser, story: Story, company_site: str
) -> None:
    with entered(browser, company_site, OTHER, java_script_enabled=False) as owner:
        first, second = (int(link.rpartition("/")[2]) for link in links_of(owner)[:2])
        take(owner, first)
        owner.get_by_role("button", name="Undo").click()
        expect(owner.get_by_role("status")).to_contain_text("nobody")
        resolve_in_place(owner)
        owner.get_by_role("link", name="Queue").first.click()
        hand_over(owner, second, to="triage")
        owner.get_by_role("button", name="Undo").click()
        expect(owner.get_by_role("status")).to_contain_text("back")
    assert facts_of(story, first).state is Is.RESOLVED
    assert facts_of(story, second).department == "stores"


def links_of(queue: Page) -> list[str]:
    unassigned = queue.locator(".queue li", has_text="nobody").get_by_role("link")
    return [link.get_attribute("href") or "" for link in unassigned.all()]

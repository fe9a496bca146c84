"""The pages as people meet them: without scripts, on a small telephone, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine
from sqlmodel import select

from tests.factories import (
    make_answer,
    save,
    save_open_ticket,
    save_told_loop,
    save_waiting_reply,
)
from tests.pictures import picture
from voc.models import Answer, FeedbackVersion, Suppression, Verdict
from voc.store.database import transaction

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 900}
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitaenskajuetentuerschloss" * 3


@contextmanager
def visit(browser: Browser, url: str, viewport: dict[str, int]) -> Iterator[Page]:
    """A page opened by somebody without JavaScript."""
    context = browser.new_context(java_script_enabled=False, viewport=viewport)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def fill(engine: Engine, *, language: str = "en") -> None:
    with transaction(engine) as session:
        save_told_loop(session, language=language)


def test_not_solved_with_words_reaches_us_without_scripts(
    browser: Browser, engine: Engine, site: str
) -> None:
    fill(engine)
    with visit(browser, f"{site}/a/answer?verdict=not_solved", NARROW) as page:
        picture(page, "pressed-320")
        page.get_by_label("2", exact=True).check()
        page.get_by_label("Is there anything").fill("The courier left again.\nWrite to k@x.example")
        page.get_by_role("button", name="No, not solved").click()
        assert page.get_by_role("status").inner_text() == "Your answer is saved."
        picture(page, "thanks-320")
    with transaction(engine) as session:
        answer = session.exec(select(Answer)).one()
    assert (answer.verdict, answer.rating) == (Verdict.NOT_SOLVED, 2)
    assert answer.words == "The courier left again.\nWrite to [email]"


def test_enter_in_a_field_does_not_answer(browser: Browser, engine: Engine, site: str) -> None:
    fill(engine)
    with visit(browser, f"{site}/a/answer", WIDE) as page:
        page.get_by_label("3", exact=True).check()
        page.keyboard.press("Enter")
        assert "Nothing was saved yet" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("3", exact=True).is_checked()
    with transaction(engine) as session:
        assert session.exec(select(Answer)).all() == []


def test_the_mails_stop_at_the_press_of_a_button(
    browser: Browser, engine: Engine, site: str
) -> None:
    fill(engine, language="de")
    with visit(browser, f"{site}/u/silence", NARROW) as page:
        picture(page, "silence-320")
        page.get_by_role("button", name="Keine Mails mehr").click()
        assert "keine Mails mehr" in page.get_by_role("heading", level=1).inner_text()
    with transaction(engine) as session:
        assert len(session.exec(select(Suppression)).all()) == 1


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "path", ["a/answer", "u/silence", "t/resolve", "t/reassign", "a/none", "p/approve"]
)
def test_nothing_scrolls_sideways(
    browser: Browser, engine: Engine, site: str, path: str, width: int
) -> None:
    with transaction(engine) as session:
        if path.startswith("t/"):
            save_open_ticket(session, level=1, because=f"rule {LONG_WORD!r}")
        elif path.startswith("p/"):
            save_waiting_reply(session, f"Subject: {LONG_WORD}\r\n\r\n{LONG_WORD}".encode())
        else:
            save_told_loop(session, language="de")
            save(session, make_answer(words=LONG_WORD))
        version = session.get_one(FeedbackVersion, 1)
        version.verbatim = f"{version.verbatim} {LONG_WORD}"
    context = browser.new_context(viewport={"width": width, "height": 640})
    page = context.new_page()
    page.goto(f"{site}/{path}")
    picture(page, f"{path.replace('/', '-')}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize(
    "path", ["a/answer", "u/silence", "t/resolve", "t/reassign", "t/accept", "p/approve"]
)
def test_everything_is_reached_by_keyboard_in_order_and_seen(
    browser: Browser, engine: Engine, site: str, path: str
) -> None:
    with transaction(engine) as session:
        if path.startswith("t/"):
            save_open_ticket(session)
        elif path.startswith("p/"):
            save_waiting_reply(session, REPLY)
        else:
            save_told_loop(session)
    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site}/{path}")
    seen: list[float] = []
    names: list[str] = []
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        assert stop["outline"] >= 2, stop
        assert stop["height"] >= 44, stop
        assert stop["width"] >= 44, stop
        seen.append(stop["top"])
        names.append(stop["name"])
    if path == "a/answer":
        picture(page, "focus")
    context.close()
    assert names == STOPS[path]
    assert seen == sorted(seen)


REPLY = b"""\
Content-Type: text/html

<p>We spoke with the courier.</p>"""
STOPS = {
    "p/approve": ["", "deed", "why", "deed"],
    "a/answer": ["rating", "words", "verdict", "verdict"],
    "u/silence": ["button"],
    "t/resolve": ["root_cause", "action_taken", ""],
    "t/reassign": ["department", ""],
    "t/accept": [""],
}
# The outline of a radio button that looks like a tile is drawn around the tile.
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const shown = at.type === "radio" ? at.nextElementSibling : at;
  const box = shown.getBoundingClientRect(), style = getComputedStyle(shown);
  return {name: at.name || "", top: box.top, height: box.height, width: box.width,
          outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth)};
}"""


def test_all_text_can_be_read(browser: Browser, engine: Engine, site: str) -> None:
    fill(engine)
    context = browser.new_context(viewport=NARROW)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site}/a/answer")
    page.get_by_role("button", name="Yes").evaluate("b => b.value = 'maybe'")
    page.get_by_role("button", name="Yes").click()
    assert page.get_by_role("alert").is_visible()
    picture(page, "wrong-320")
    wrong = page.evaluate(TOO_FAINT)
    context.close()
    assert wrong == []


# Texts whose colour differs from their ground by less than 4.5 to 1, or that are under 14 px.
TOO_FAINT = """() => {
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(numbers(style.color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5 || parseFloat(style.fontSize) < 14) found.push([e.outerHTML, ratio]);
  }
  return found;
}"""


def test_an_owner_resolves_a_ticket(browser: Browser, engine: Engine, site: str) -> None:
    with transaction(engine) as session:
        save_open_ticket(session)
    with visit(browser, f"{site}/t/resolve", WIDE) as page:
        page.get_by_label("Root cause").fill("The depot was closed.")
        page.get_by_label("What was done").fill("We deliver it today.")
        page.get_by_role("button", name="Resolve").click()
        assert "resolved" in page.get_by_role("status").inner_text()
        picture(page, "resolved-1280")


def test_the_browser_obeys_the_policy_and_runs_no_script(
    browser: Browser, engine: Engine, site: str
) -> None:
    """A scanner with scripts switched on opens every link and looks around."""
    fill(engine)
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.goto(f"{site}/a/answer", wait_until="networkidle")
    page.goto(f"{site}/u/silence", wait_until="networkidle")
    context.close()
    assert all(line.startswith(f"GET {site}/") for line in asked)
    with transaction(engine) as session:
        assert session.exec(select(Answer)).all() == []
        assert session.exec(select(Suppression)).all() == []

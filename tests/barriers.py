"""What would hinder people on a page of the desk, found in a browser.

Each page is looked at by axe-core, in both themes, on a small telephone, with text of twice the
size, and as somebody sees it who has no mouse.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE = {"width": 1280, "height": 900}
SMALL = {"width": 320, "height": 640}


def barriers(page: Page) -> list[str]:
    """What hinders somebody on *page*; its context has `AXE` as an initial script."""
    found = broken_rules(page)
    page.emulate_media(color_scheme="dark")
    contrast = {"type": "rule", "values": ["color-contrast"]}
    found += [f"dark: {each}" for each in _axe(page, {"runOnly": contrast})]
    page.emulate_media(color_scheme="light")
    found += page.evaluate(NOT_SEEN) + page.evaluate(WITHOUT_TABLE)
    page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    found += [f"at 320 px: {each}" for each in page.evaluate(TOO_WIDE)]
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found += [f"with large text: {each}" for each in page.evaluate(TOO_WIDE)]
    return found


def broken_rules(page: Page) -> list[str]:
    """What axe-core finds wrong with *page* as it is drawn now."""
    return _axe(page, {"runOnly": TAGS, "rules": {"target-size": {"enabled": True}}})


def _axe(page: Page, options: dict[str, Any]) -> list[str]:
    faster = {"resultTypes": ["violations"], "preload": False}
    result = page.evaluate("options => axe.run(document, options)", options | faster)
    return [
        f"{wrong['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for wrong in result["violations"]
        for node in wrong["nodes"]
    ]


# What sticks out of the page, or is cut off inside something that does not scroll.
TOO_WIDE = """() => {
  const root = document.documentElement, found = [];
  if (root.scrollWidth > root.clientWidth) {
    const out = [...document.body.querySelectorAll("*")].filter(
      e => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll"));
    found.push(`${root.scrollWidth} px wide: ${out.slice(-1)[0]?.outerHTML.slice(0, 160)}`);
  }
  for (const e of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(e);
    if (!["hidden", "clip"].includes(style.overflowX) || e.closest("svg, input, .unseen")) continue;
    if (e.scrollWidth > e.clientWidth + 1) found.push(`cut off: ${e.outerHTML.slice(0, 160)}`);
  }
  return found;
}"""

# What can be reached by keyboard, and does not show that it was. What is seen may lie around it.
NOT_SEEN = """() => {
  const found = [];
  const stops = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  for (const e of document.querySelectorAll(stops)) {
    if (e.tabIndex < 0 || e.disabled || !e.checkVisibility()) continue;
    e.focus({focusVisible: true, preventScroll: true});
    const drawn = [[e, null], [e, "::after"]].some(([at, part]) => {
      const style = getComputedStyle(at, part);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    if (document.activeElement === e && drawn) continue;
    found.push(`focus not seen: ${e.outerHTML.slice(0, 160)}`);
  }
  document.activeElement?.blur();
  return found;
}"""

# Pictures of numbers without the numbers near by.
WITHOUT_TABLE = """() => [...document.querySelectorAll("main svg")]
  .filter(e => !e.closest("[aria-hidden=true], table"))
  .filter(e => !e.closest(".card, section")?.querySelector("table"))
  .map(e => `a chart without a table: ${e.outerHTML.slice(0, 160)}`)"""

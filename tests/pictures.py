"""Pictures of pages, kept to be looked at."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page where VOC_SCREENSHOTS says; nothing without it."""
    if folder := os.environ.get("VOC_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def pictures(page: Page, name: str) -> None:
    """The same, as it looks on a desk and on a telephone."""
    if "VOC_SCREENSHOTS" not in os.environ:
        return
    before = page.viewport_size
    for width, height in ((375, 812), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        picture(page, f"{name}-{width}")
    if before:
        page.set_viewport_size(before)

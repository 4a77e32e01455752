"""What the tests of the studio's page share."""

from __future__ import annotations

import time
from typing import Any

SHEETS = "document.querySelectorAll('#alternatives .sheet > div > svg').length"


def wait_until(page: Any, condition: str, seconds: float = 20) -> None:
    """Wait until a condition holds; the page's policy keeps playwright from waiting by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if page.evaluate(condition):
            return
        page.wait_for_timeout(40)
    raise AssertionError(f"not within {seconds} seconds: {condition}")


def text_of(selector: str) -> str:
    return f"document.querySelector({selector!r}).textContent"


def click_note(page: Any, index: int) -> None:
    head = page.locator(f'#desk-score [data-note="{index}"] .notehead').first
    head.scroll_into_view_if_needed()
    box = head.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

"""What the page that explains a score does in a browser."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from explained_scores import HOSTILE_HTML, SharedPassage, hostile_choir, page_text


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page, and checks in the end that it had no errors and requested only itself."""
    contexts, errors, requests = [], [], []

    def open_(text_settings: dict[str, Any] | None = None, **context_settings: Any) -> Any:
        page_text(tmp_path, **(text_settings or {}))
        context = browser.new_context(**context_settings)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((tmp_path / "page.html").as_uri())
        contexts.append(context)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
    assert requests == [(tmp_path / "page.html").as_uri()] * len(contexts)


def last_alto_notehead(page: Any, kind: str = "wide") -> SimpleNamespace:
    """Where the last note of the alto is on the screen."""
    box = page.locator(f'.{kind} [data-event="13"] .notehead').bounding_box()
    return SimpleNamespace(x=box["x"] + box["width"] / 2, y=box["y"] + box["height"] / 2)


def wait_until(page: Any, condition: str) -> None:
    """Wait until a condition holds; the page's policy keeps playwright from waiting by itself."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not within 5 seconds: {condition}")


def test_pointing_at_a_note_shows_five_alternatives(open_page: Any) -> None:
    page = open_page()
    assert page.locator("#card").is_hidden()
    head = last_alto_notehead(page)
    page.mouse.move(head.x + 3, head.y + 2)
    card = page.locator("#card")
    assert card.locator("strong").inner_text() == "F4 half"
    assert card.locator("p").inner_text() == "Alto, bar 2, beat 2. 6.5 bits (pitch 6.0, length 0.5)"
    rows = [row.split("\t") for row in card.locator("tr").all_inner_texts()]
    name = "B♭3 dotted quarter"
    assert [(row[0], row[-1]) for row in rows[:2]] == [(name, "40%"), (name, "20%")]
    assert len(rows) == 5 + 1
    assert rows[5][0] == "F4 half ✓"
    page.mouse.move(2, 2)
    assert card.is_hidden()


def test_playing_moves_the_cursor_and_ends_by_itself(open_page: Any) -> None:
    page = open_page()
    cursor_x = "document.getElementById('cursor').getBoundingClientRect().x"  # 0 while hidden
    event_indices = "all => all.map(one => Number(one.dataset.event))"
    positions, sounded = [], set()
    page.click("#play")
    for _ in range(12):
        page.wait_for_timeout(100)
        if x := page.evaluate(cursor_x):
            positions.append(x)
            sounded |= set(page.locator(".wide .sounding").evaluate_all(event_indices))
    assert len(positions) > 6
    assert positions == sorted(positions)
    assert positions[-1] > positions[0] + 100
    assert len(set(positions)) > 6, "it glides from note to note"
    assert sounded >= {4, 5, 6, 7}, "the notes of the first whole bar"
    wait_until(page, "document.getElementById('cursor').hidden")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    assert page.locator(".sounding").count() == 0
    assert page.locator("#where").inner_text() == "pickup"


# It plays in real time, and other work on the machine makes the clock jump.
@pytest.mark.slow
def test_a_click_on_a_note_plays_from_there_and_a_pause_keeps_the_position(open_page: Any) -> None:
    page = open_page()
    head = last_alto_notehead(page)
    page.mouse.click(head.x, head.y)
    wait_until(page, "document.querySelectorAll('.wide .sounding').length === 4")
    assert page.locator("#where").inner_text() == "bar 2 of 2"
    page.keyboard.press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    assert page.locator("#cursor").is_visible()
    page.click("#stop")
    assert page.locator("#cursor").is_hidden()
    page.locator("#loudness").fill("0")


def test_the_keyboard_does_all_that_the_pointer_does(open_page: Any) -> None:
    page = open_page()
    heading = page.locator("#card strong")
    page.keyboard.press("Tab")
    assert heading.inner_text() == "C5 quarter"
    for key, name in (
        ("ArrowRight", "D5 half"),
        ("ArrowDown", "F4 half"),
        ("ArrowDown", "B♭3 half"),
        ("ArrowLeft", "A3 quarter"),
    ):
        page.keyboard.press(key)
        wait_until(page, f"document.querySelector('#card strong').textContent === '{name}'")
    assert "Tenor, pickup, beat 3" in page.evaluate(
        "document.activeElement.getAttribute('aria-label')"
    )
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelectorAll('.sounding').length > 0")


def test_a_tap_shows_the_card_and_a_second_one_plays(open_page: Any) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.locator(".wide").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390, (
        "nothing is wider than the screen"
    )
    page.locator('.narrow [data-event="13"]').first.evaluate(
        "note => note.scrollIntoView({block: 'center'})"
    )
    page.wait_for_timeout(100)  # scrolling hides cards
    head = last_alto_notehead(page, "narrow")
    page.touchscreen.tap(head.x, head.y)
    assert page.locator("#card strong").inner_text() == "F4 half"
    assert page.locator(".sounding").count() == 0
    page.touchscreen.tap(head.x, head.y)
    wait_until(page, "document.querySelectorAll('.narrow .sounding').length > 0")


def test_a_script_in_a_title_does_not_run(open_page: Any) -> None:
    page = open_page(
        {
            "score": hostile_choir(),
            "title": HOSTILE_HTML,
            "settings": {HOSTILE_HTML: HOSTILE_HTML},
            "shared": SharedPassage(title=HOSTILE_HTML),
            "min_shared_notes": 2,
        }
    )
    head = last_alto_notehead(page)
    page.mouse.move(head.x, head.y)
    assert page.locator("#card p").inner_text().startswith(HOSTILE_HTML)
    assert page.evaluate("window.owned") is None
    assert page.title() == HOSTILE_HTML
    assert page.locator("h1").inner_text() == HOSTILE_HTML
    assert page.locator("img").count() == 0


def test_the_policy_stops_other_scripts_and_the_network(browser: Any, tmp_path: Path) -> None:
    page_text(tmp_path)
    page, failed = browser.new_page(), []
    page.goto((tmp_path / "page.html").as_uri())
    page.on(
        "requestfailed", lambda request: failed.append((Path(request.url).name, request.failure))
    )
    add_script = """() => {
        const script = document.createElement("script");
        script.textContent = "window.owned = 1";
        document.body.append(script);
        return window.owned;
    }"""
    assert page.evaluate(add_script) is None
    assert page.evaluate("fetch('data:,x').then(() => 'answered', () => 'refused')") == "refused"
    load_image = """new Promise((done) => {
        const image = new Image();
        image.onerror = done;
        image.src = "other.png";
    })"""
    page.evaluate(load_image)
    assert failed == [("other.png", "csp")]
    page.close()

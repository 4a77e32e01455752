"""The studio in a browser: the first minute, steering, forever, keys alone, French, a phone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from studio_pages import SHEETS, click_note, text_of, wait_until

JOINED_EXACTLY = """import("/page/player.js").then(({ player: { items, secondsPerTick } }) => {
    const [one, next] = items;
    return Boolean(next) && Math.abs(next.start - one.start - one.end * secondsPerTick) < 1e-9;
})"""
RENDER = """instrument => import("/page/sound.js").then(async ({ renderOffline }) => {
    const notes = [{ pitch: 57, start: 0, end: 0.5 }, { pitch: 72, start: 1, end: 1.5 }];
    return [...await renderOffline(notes, instrument, 8000)];
})"""


def test_the_first_minute(open_studio: Any) -> None:
    page = open_studio()
    assert page.inner_text("#desk-title") == "G major, 4/4, 2 bars"
    page.keyboard.press("Space")
    wait_until(page, "document.querySelectorAll('#desk-score .sounding').length > 0")
    page.select_option("#effort", "1")
    page.click("#compose")
    wait_until(page, f"{SHEETS} === 3", 60)
    wait_until(page, f"{text_of('#composing')} === '3 alternatives composed.'")
    assert "effort 1" in page.inner_text("#alternatives .figure >> nth=0")
    page.keyboard.press("Space")  # the focus has moved to the first alternative
    wait_until(page, "document.querySelectorAll('#alternatives .sounding').length > 0")
    page.click("#stop")
    page.keyboard.press("2")
    second = page.locator("#alternatives > :nth-child(2)")
    wait_until(page, "document.querySelectorAll('#alternatives .sounding').length > 0")
    assert second.locator(".sounding").count() > 0
    assert second.locator(".cursor").is_visible()
    assert second.locator(".given").count() > 0
    page.click("#stop")
    with page.expect_download() as download:
        second.locator(".downloads button", has_text="MIDI").click()
    assert download.value.suggested_filename == "seqmusic.mid"
    second.locator(".choose").click()
    wait_until(page, f"{text_of('#desk-title')} === 'G major, 4/4, 8 bars'")
    page.reload()  # the work comes back
    page.wait_for_selector("body[data-ready]")
    assert page.inner_text("#desk-title") == "G major, 4/4, 8 bars"
    wait_until(page, f"{SHEETS} === 3")
    page.click("#undo")
    wait_until(page, f"{text_of('#desk-title')} === 'G major, 4/4, 2 bars'")
    page.click("#redo")
    wait_until(page, f"{text_of('#desk-title')} === 'G major, 4/4, 8 bars'")


def test_steering_a_choir(open_studio: Any) -> None:
    page = open_studio()
    page.fill(
        "#theme",
        "G4 A4 B4 C5 | D5:1 ; D4 E4 D4 G4 | G4:1 ; B3 C4 G3 E4 | B3:1 ; G3 A3 G3 C4 | G3:1",
    )
    wait_until(page, "document.querySelectorAll('#desk-score [data-note]').length === 20")
    page.click("#desk-lanes-box summary")
    page.click('[data-lane="1:0"]')
    page.click("#freeze")
    wait_until(page, "document.querySelectorAll('#desk-score .ice').length === 1")
    assert "frozen" in page.get_attribute('[data-lane="1:0"]', "aria-label")
    page.click("#select-none")
    page.click('[data-lane="2:0"]')
    assert page.locator("#desk-score .picked").count() == 1
    page.click("#harmonize-selection")
    wait_until(page, f"{SHEETS} === 3")
    altos = page.locator('#alternatives [data-voice="1"].given')
    assert altos.count() == 3 * 5, "the frozen alto is given in all alternatives"
    page.click("#surprise")
    wait_until(page, "document.querySelectorAll('#desk-score .disc').length > 0")
    click_note(page, 5)
    choices = page.locator("#card .choice")
    assert choices.count() == 5
    likely = next(i for i in range(5) if choices.nth(i).is_enabled())
    name = choices.nth(likely).locator("span").inner_text()
    choices.nth(likely).click()
    wait_until(page, f"{text_of('#card strong')} === {name!r}")
    page.locator("#card button", has_text="Compose on from here").click()
    wait_until(page, f"{SHEETS} === 3")


def test_harmonizing_a_played_theme(open_studio: Any) -> None:
    page = open_studio("/#harmonize")
    page.click("#theme-clear")
    for key in ("C5", "D5", "E5"):
        page.click(f'#piano [aria-label="{key}"]')
    page.locator('#piano [aria-label="C4"]').focus()
    page.keyboard.press("k")  # C5 on the computer's keys
    wait_until(page, "document.querySelectorAll('#desk-score [data-note]').length === 4")
    assert page.input_value("#theme") == "C5 D5 E5 C5"
    box = page.locator("#staff-pad svg").bounding_box()
    page.mouse.click(box["x"] + 90, box["y"] + 36 + 15)  # the fourth line: D5
    wait_until(page, "document.querySelectorAll('#desk-score [data-note]').length === 5")
    assert page.input_value("#theme").endswith("C5 D5")
    page.check("#strict")
    page.click("#compose")
    wait_until(page, f"{SHEETS} === 3")
    assert page.locator("#alternatives .alternative:first-child .given").count() == 5


def test_mistakes_are_shown_in_the_language_of_the_page(open_studio: Any, tmp_path: Path) -> None:
    page = open_studio(locale="fr-FR")
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert page.inner_text("#compose") == "Continuer"
    assert page.inner_text("#desk-title") == "sol majeur, 4/4, 2 mesures"
    page.fill("#theme", "sol4 zb4")
    wait_until(page, f"{text_of('#theme-problem')}.includes('Signe 2 « zb4 »')")
    assert page.locator("#theme-problem code").inner_text() == "zb4"
    assert page.locator("#desk-score [data-note]").count() == 6, "nothing is lost"
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"MThd")
    page.set_input_files("#file", str(broken))
    wait_until(page, f"{text_of('#problem')}.includes('Ce fichier est abîmé')")
    page.click("#language")
    assert page.inner_text("#compose") == "Continue"
    assert page.inner_text("#tab-forever") == "Forever"


def test_all_of_it_by_keyboard(open_studio: Any) -> None:
    page = open_studio()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("c")
    wait_until(page, f"{SHEETS} === 3")
    page.keyboard.press("Shift+Digit1")
    wait_until(page, f"{text_of('#desk-title')} === 'G major, 4/4, 8 bars'")
    page.locator('#desk-score [tabindex="0"]').focus()
    for key, start in (("ArrowRight", "A4"), ("ArrowDown", ""), ("ArrowUp", "A4")):
        page.keyboard.press(key)
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert label.startswith(start)
    page.keyboard.press("Enter")
    assert page.inner_text("#card strong") == "A4 quarter"
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    page.click("#desk-lanes-box summary")
    page.locator('[data-lane="0:0"]').focus()
    for key in ("ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)
    assert page.get_attribute('[data-lane="1:1"]', "aria-pressed") == "true"
    page.locator("#tab-continue").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#compose") == "Harmonize"
    page.click("#help-open")
    page.uncheck("#shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    assert page.locator(".sounding").count() == 0, "single keys can be turned off"


def test_twenty_segments_follow_each_other(open_studio: Any) -> None:
    page = open_studio("/s/21/0")
    wait_until(page, f"{text_of('#forever-now')}.startsWith('Segment 0')")
    assert page.locator("#forever-plan li").count() == 4
    page.click("#play")
    wait_until(page, JOINED_EXACTLY)
    page.evaluate("import('/page/player.js').then(({ player }) => player.setTempo(9000))")
    wait_until(page, f"Number(/\\d+/.exec({text_of('#forever-now')})) >= 20", 40)
    page.click("#play")
    number = int(page.url.split("/")[-1])
    assert number >= 20
    assert page.locator("#forever-score > .sheet").count() <= 8, "old sheets are dropped"
    assert "Last 2" in page.inner_text("#forever-figures")
    other = open_studio(f"/s/21/{number}")
    wait_until(other, f"{text_of('#forever-now')} == {json.dumps(page.inner_text('#forever-now'))}")


def test_the_pitches_that_sound(open_studio: Any) -> None:
    page = open_studio()
    for instrument in ("organ", "choir", "piano"):
        samples = page.evaluate(RENDER, instrument)
        for start, hertz in ((0.1, 220.0), (1.1, 523.25)):
            window = np.array(samples[int(8000 * start) : int(8000 * (start + 0.35))])
            spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), 1 << 16))
            assert np.argmax(spectrum) * 8000 / (1 << 16) == pytest.approx(hertz, rel=0.01)
        assert 0.02 < np.max(np.abs(samples)) <= 1


def test_a_phone(open_studio: Any) -> None:
    page = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.tap("#compose")
    wait_until(page, f"{SHEETS} === 3")
    for tab in ("continue", "harmonize", "recognize", "motet", "judge", "learn", "forever"):
        page.tap(f"#tab-{tab}")
        page.wait_for_timeout(100)
        if tab == "recognize":
            wait_until(page, "document.querySelectorAll('#recognize-answer h2').length > 0")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, tab


def test_axe_finds_nothing_serious(open_studio: Any) -> None:
    page = open_studio()
    page.click("#desk-lanes-box summary")
    click_note(page, 0)
    for tab in ("continue", "recognize", "motet", "judge", "learn", "forever"):
        page.click(f"#tab-{tab}")
        if tab == "forever":
            wait_until(page, f"{text_of('#forever-now')}.startsWith('Segment')")
        response = Axe().run(page).response
        assert len(response["passes"]) > 10
        serious = [
            (one["id"], one["nodes"][0]["html"][:200])
            for one in response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], tab


@pytest.mark.parametrize("width", [390, 1280])
def test_every_word_is_in_both_languages(open_studio: Any, width: int) -> None:
    page = open_studio(viewport={"width": width, "height": 800})
    names = page.evaluate(
        """import('/page/words.js').then(({ setLanguage, t }) => {
            const names = [...document.querySelectorAll('[data-t]')].map((one) => one.dataset.t);
            setLanguage('fr');
            return names.filter((name) => t(name) === name && name !== 'studio');
        })"""
    )
    assert names == []

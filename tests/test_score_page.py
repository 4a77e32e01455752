"""The page that explains a score: its text, and what it does in a browser (Chromium with playwright, where there is one)."""

import base64
import hashlib
import itertools
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqmusic.errors import FormatError, MissingExtraError
from seqmusic.report.explanation import Alternative, ExplainedEvent, Explanation
from seqmusic.report.score_page import write_score_page
from seqmusic.report.shading import shaded_svg, surprise_color
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice, melody

LINES = ((72, 74, 76, 77), (65, 65, 67, 65), (57, 58, 60, 57), (41, 46, 36, 41))
# A pickup of a quarter, then three halves that are tied over a bar line of 3/4: four notes a voice, in bars 0 to 3.
ONSETS = ((0, 24), (24, 48), (72, 48), (120, 48))
CHOIR = Score(
    tuple(
        Voice(
            name,
            tuple(
                Note(onset, length, pitch)
                for (onset, length), pitch in zip(ONSETS, line, strict=True)
            ),
        )
        for name, line in zip(SATB, LINES, strict=True)
    ),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
    key=Key(-1, "major"),
    tempo_bpm=240,  # seven quarters in less than two seconds
)
HOSTILE_HTML = "<script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"


@dataclass(frozen=True)
class SharedPassage:
    title: str = "O Welt & <b>"
    onset_ticks: int = 24
    n_notes: int = 12
    beats: float = 4.5
    semitones: int = -2
    bars: tuple[int, int] | None = (1, 2)
    work_bars: tuple[int, int] | None = (9, 10)


def explanation_of(score: Score) -> Explanation:
    """The soprano is given; the other notes have bits by their place in the line, and are second likeliest, the last ones less."""
    events = [
        ExplainedEvent(
            v,
            note.onset_ticks,
            note.duration_ticks,
            note.pitch,
            is_given=v == 0,
            sound_bits=0 if v == 0 else 2.0 * i,
            duration_bits=0 if v == 0 else 0.5,
            alternatives=()
            if v == 0
            else tuple(Alternative("Bb3", 36, 0.4 / n, n == 2 and i < 3) for n in range(1, 6)),
        )
        for v, voice in enumerate(score.voices)
        for i, note in enumerate(voice.notes)
    ]
    return Explanation(tuple(sorted(events, key=lambda event: (event.onset_ticks, event.voice))))


def page_text(tmp_path: Path, score: Score = CHOIR, title: str = "A choir", **settings: Any) -> str:
    return write_score_page(
        tmp_path / "page.html", score, explanation_of(score), title=title, **settings
    ).read_text(encoding="utf-8")


def embedded_json(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_every_printed_note_is_marked_and_shaded_in_both_engravings() -> None:
    told = explanation_of(CHOIR)
    for size in ((1000, 700), (340, 3000)):
        svg = "".join(shaded_svg(CHOIR, told, size, "own"))
        marked = re.findall(
            r'<g class="note( given)?" data-tick="(\d+)" data-event="(\d+)">(<circle[^>]*>)?', svg
        )
        # The second and the last halves stand in one bar, the third is written as two tied quarters.
        assert sorted({int(event) for _, _, event, _ in marked}) == list(range(16))
        assert len(marked) == 4 * 5
        for given, tick, place, disc in marked:
            event = told.events[int(place)]
            assert event.onset_ticks <= int(tick) < event.onset_ticks + event.duration_ticks
            assert bool(given) == event.is_given == (not disc)
            assert event.is_given or f'fill="{surprise_color(event.bits)}"' in disc
        assert not re.findall(r'id="v\d', svg)


def test_a_rest_is_shaded_where_the_explanation_holds_it() -> None:
    score = melody([Note(0, 24, 60), Note(48, 48, 62)], time_signatures=((0, TimeSignature(4, 4)),))
    told = Explanation(
        (ExplainedEvent(0, 0, 24, 60), ExplainedEvent(0, 24, 24, None, sound_bits=6))
    )
    svg = "".join(shaded_svg(score, told, (1000, 700), "own"))
    assert re.findall(
        r'<g class="rest" data-tick="24" data-event="1"><circle[^>]*fill="(#\w+)"', svg
    ) == [surprise_color(6)]
    assert re.findall(r'<g class="note" data-tick="48">', svg), (
        "what is not explained is still there, for the cursor"
    )


def test_shades_grow_darker_with_surprise() -> None:
    lightness = [
        sum(
            weight * int(surprise_color(bits / 4)[at : at + 2], 16)
            for weight, at in ((0.21, 1), (0.72, 3), (0.07, 5))
        )
        for bits in range(33)
    ]
    assert all(a > b for a, b in itertools.pairwise(lightness))


def test_the_page_holds_all_it_needs_and_lets_nothing_else_in(tmp_path: Path) -> None:
    text = page_text(tmp_path)
    assert not re.findall(r'(?:href|src|srcset|action|data)="(?!#)|url\(|@import', text)
    assert set(re.findall(r"https?://[\w./]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in policy[1]
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_text_from_outside_is_only_text(tmp_path: Path) -> None:
    score = replace(
        CHOIR, voices=tuple(replace(voice, name=HOSTILE_HTML) for voice in CHOIR.voices)
    )
    text = page_text(
        tmp_path,
        score,
        HOSTILE_HTML + "\udcff",
        settings={HOSTILE_HTML: HOSTILE_HTML},
        shared=SharedPassage(title=HOSTILE_HTML),
        min_shared_notes=2,
    )
    assert "<script>window" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;window.owned = 1&lt;/script&gt;") >= 10
    assert embedded_json(text)["events"][0]["place"].startswith(HOSTILE_HTML)


def test_the_player_is_told_what_is_written(tmp_path: Path) -> None:
    data = embedded_json(page_text(tmp_path))
    assert (data["secondsPerTick"], data["endTick"], data["voiceCount"]) == (60 / 240 / 24, 168, 4)
    assert data["bars"] == [[0, 0], [24, 1], [96, 2]]
    soprano, alto = data["events"][0], data["events"][13]
    assert (soprano["name"], soprano["place"], soprano["surprise"]) == (
        "C5 quarter",
        "Soprano, pickup, beat 3",
        "Given",
    )
    assert (alto["name"], alto["place"], alto["surprise"]) == (
        "F4 half",
        "Alto, bar 2, beat 2",
        "6.5 bits (pitch 6.0, length 0.5)",
    )
    assert alto["alternatives"][0] == ["B♭3 dotted quarter", 0.4, "40%", False]
    assert alto["alternatives"][5] == ["F4 half", 0.011, "1.1%", True], (
        "what is written comes last if it is not likely"
    )
    assert [one[3] for one in data["events"][1]["alternatives"]] == [
        False,
        True,
        False,
        False,
        False,
    ]


def test_the_page_says_what_is_shared(tmp_path: Path) -> None:
    heading = "Longest passage shared with a training work"
    assert heading not in page_text(tmp_path)
    assert "There is none of 8 notes or more." in page_text(tmp_path, min_shared_notes=8)
    assert "There is none of 13 notes or more." in page_text(
        tmp_path, shared=SharedPassage(), min_shared_notes=13
    )
    told = page_text(tmp_path, shared=SharedPassage(), min_shared_notes=8)
    assert (
        "12 notes (4.5 quarters) are those of <strong>O Welt &amp; &lt;b&gt;</strong>, bars 9–10, 2 semitones lower than there."
        in told
    )
    assert '<button data-play="24">Play them, bars 1–2</button>' in told
    plain = page_text(
        tmp_path, shared=SharedPassage(semitones=0, bars=None, work_bars=(3, 3)), min_shared_notes=8
    )
    assert "</strong>, bar 3. " in plain
    assert ">Play them</button>" in plain


def test_the_page_says_how_surprising_all_was_and_how_it_was_made(tmp_path: Path) -> None:
    text = page_text(tmp_path, settings={"seed": 7, "temperature": 0.9})
    assert (
        "<strong>3.5 bits a note</strong>, as if each had been chosen among 11 equally likely ones"
        in text
    )  # 2 ** 3.5
    assert "12 composed notes and rests, 4 given notes; 42 bits in all" in text
    assert (
        "<dt>key</dt><dd>F major</dd><dt>time signature</dt><dd>3/4</dd><dt>seed</dt><dd>7</dd><dt>temperature</dt><dd>0.9</dd>"
        in text
    )
    rows = re.findall(r"<tr><td>(.*?)</tr>", text)
    assert len(rows) == 8
    assert "Play from bar 2, beat 2" in rows[0]
    assert ">6.5</td><td>1 in 91</td><td>B♭3 dotted quarter, 40%</td>" in rows[0]


def test_what_cannot_be_shown_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Score((Voice("Soprano", ()),))
    with pytest.raises(FormatError, match="needs a note, this score has none"):
        write_score_page(tmp_path / "page.html", silent, Explanation(()), title="Silence")
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(
        MissingExtraError, match=r"pictures need verovio; .* pip install 'seqmusic\[score\]'"
    ):
        page_text(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=chromium, args=quiet)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page, and in the end sees that nothing went wrong in it and nothing was asked for but itself."""
    contexts, wrong, asked = [], [], []

    def open_(text_settings: dict[str, Any] | None = None, **context_settings: Any) -> Any:
        page_text(tmp_path, **(text_settings or {}))
        context = browser.new_context(**context_settings)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "page.html").as_uri())
        contexts.append(context)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []
    assert asked == [(tmp_path / "page.html").as_uri()] * len(contexts)


def last_alto_notehead(page: Any, kind: str = "wide") -> SimpleNamespace:
    """Where the last note of the alto is on the screen."""
    box = page.locator(f'.{kind} [data-event="13"] .notehead').bounding_box()
    return SimpleNamespace(x=box["x"] + box["width"] / 2, y=box["y"] + box["height"] / 2)


def wait_until(page: Any, condition: str) -> None:
    """Waits until it is so; the page's policy keeps the browser from waiting by itself."""
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
    assert [(row[0], row[-1]) for row in rows[:2]] == [
        ("B♭3 dotted quarter", "40%"),
        ("B♭3 dotted quarter", "20%"),
    ]
    assert len(rows) == 5 + 1
    assert rows[5][0] == "F4 half ✓"
    page.mouse.move(2, 2)
    assert card.is_hidden()


def test_playing_moves_the_cursor_and_ends_by_itself(open_page: Any) -> None:
    page = open_page()
    places, heard = [], set()
    page.click("#play")
    for _ in range(12):
        page.wait_for_timeout(100)
        if place := page.evaluate(
            "document.getElementById('cursor').getBoundingClientRect().x"
        ):  # 0 while it is hidden
            places.append(place)
            heard |= set(
                page.locator(".wide .sounding").evaluate_all(
                    "all => all.map(one => Number(one.dataset.event))"
                )
            )
    assert len(places) > 6
    assert places == sorted(places)
    assert places[-1] > places[0] + 100
    assert len(set(places)) > 6, "it glides from note to note"
    assert heard >= {4, 5, 6, 7}, "the notes of the first whole bar"
    wait_until(page, "document.getElementById('cursor').hidden")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    assert page.locator(".sounding").count() == 0
    assert page.locator("#where").inner_text() == "pickup"


@pytest.mark.slow  # by name, on a machine that does nothing else: it plays in real time, and other work makes the clock jump
def test_a_note_that_is_clicked_is_where_the_music_starts_and_pauses_stay(open_page: Any) -> None:
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
    score = replace(
        CHOIR, voices=tuple(replace(voice, name=HOSTILE_HTML) for voice in CHOIR.voices)
    )
    page = open_page(
        {
            "score": score,
            "title": HOSTILE_HTML,
            "settings": {HOSTILE_HTML: HOSTILE_HTML},
            "shared": SharedPassage(title=HOSTILE_HTML),
            "shortest_shared": 2,
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
    add = "const script = document.createElement('script'); script.textContent = 'window.owned = 1'; document.body.append(script);"
    assert page.evaluate(f"() => {{ {add} return window.owned; }}") is None
    assert page.evaluate("fetch('data:,x').then(() => 'answered', () => 'refused')") == "refused"
    page.evaluate(
        "new Promise((done) => { const image = new Image(); image.onerror = done; image.src = 'other.png'; })"
    )
    assert failed == [("other.png", "csp")]
    page.close()

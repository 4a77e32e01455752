"""Pictures of scores: what is drawn, and what is refused."""

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError, MissingExtraError
from seqmusic.formats import image
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice, melody

BROWN = "#b5651d"
THEME = melody(
    [Note(24 * i, 24, pitch) for i, pitch in enumerate((60, 62, 63, 65, 67, 68, 71, 72))],
    key=Key(-3, "minor"),
)


def choir(names: tuple[str, ...] = SATB) -> Score:
    """Two bars and a pickup of four voices."""
    lines = zip(names, (72, 65, 57, 41), strict=True)
    voices = tuple(
        Voice(name, tuple(Note(24 * i, 24, pitch + i % 3, fermata=i == 8) for i in range(9)))
        for name, pitch in lines
    )
    return Score(voices, pickup_ticks=24, key=Key(1, "major"))


def n_elements(kind: str, svg: str) -> int:
    return len(re.findall(rf'class="{kind}[ "]', svg))


def pixel_width(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of a PNG of 8 bits RGBA.

    Source: its specification, ISO/IEC 15948, 9.2 (filters).
    """
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 6)
    packed, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        packed += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    raw, stride, rows = zlib.decompress(packed), width * 4, [bytes(width * 4)]
    for y in range(height):
        kind, line = (
            raw[y * (stride + 1)],
            bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)]),
        )
        above = rows[-1]
        for x in range(stride):
            a, b, c = (line[x - 4], above[x], above[x - 4]) if x >= 4 else (0, above[x], 0)
            nearest = min((a, b, c), key=lambda v, p=a + b - c: abs(p - v))
            line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
        rows.append(bytes(line))
    return width, height, rows[1:]


def test_every_note_voice_and_bar_is_drawn_once() -> None:
    (svg,) = image.score_svg(choir())
    assert (n_elements("note", svg), n_elements("measure", svg), n_elements("fermata", svg)) == (
        36,
        3,
        4,
    )
    assert n_elements("staff", svg) == 2 * 3, "a choir is drawn on two staves"
    (open_score,) = image.score_svg(choir(("Violin", "Viola", "Cello", "Bass")))
    assert n_elements("staff", open_score) == 4 * 3


def n_drawn_accidentals(svg: str) -> int:
    """Accidentals that are drawn, not only implied."""
    return sum(
        "<use" in sign for sign in re.findall(r'class="accid"[^>]*>(.*?)</g>', svg, re.DOTALL)
    )


def test_signs_follow_the_key() -> None:
    # C minor has E flat and A flat in its signature, so only B natural has a sign; without a
    # signature only the flats have.
    signed, unsigned = (image.score_svg(replace(THEME, key=key))[0] for key in (THEME.key, None))
    assert (n_elements("keyAccid", signed), n_drawn_accidentals(signed)) == (3, 1)
    assert (n_elements("keyAccid", unsigned), n_drawn_accidentals(unsigned)) == (0, 2)


def test_the_same_score_gives_the_same_bytes() -> None:
    assert image.score_svg(choir()) == image.score_svg(choir())
    code = (
        "import hashlib; from seqmusic.formats.image import score_svg;"
        "from seqmusic.score import *;"
        "score = melody([Note(0, 24, 60), Note(24, 24, 61)]);"
        "print(hashlib.sha256(score_svg(score)[0].encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_color_is_called_for_each_note_and_colors_it_alone() -> None:
    calls: list[tuple[int, Note]] = []

    def color(voice: int, note: Note) -> str | None:
        calls.append((voice, note))
        return BROWN if voice == 2 and note.onset_ticks < 48 else None

    (svg,) = image.score_svg(choir(), color)
    assert sorted({voice for voice, _ in calls}) == [0, 1, 2, 3]
    assert len(set(calls)) == 36
    assert len(re.findall(rf'class="note" color="{BROWN}"', svg, re.IGNORECASE)) == 2
    assert 'class="note" color' not in image.score_svg(choir())[0]


def test_png_has_the_given_width_and_keeps_color_and_text(tmp_path: Path) -> None:
    prompt = dict.fromkeys(THEME.voices[0].notes[:4], BROWN)
    path = image.write_png(
        THEME, tmp_path / "theme.png", lambda voice, note: prompt.get(note), width_px=500
    )
    width, height, rows = pixels(path.read_bytes())
    assert width == 500
    assert 60 < height < 300
    assert {row[3::4] for row in rows} == {b"\xff" * width}, "the paper is white, not transparent"
    seen = {row[x : x + 3] for row in rows for x in range(0, 4 * width, 4)}
    assert {b"\xff\xff\xff", b"\x00\x00\x00", bytes.fromhex(BROWN[1:])} <= seen
    voice_name = [row[: 4 * width // 12] for row in rows]  # it stands left of the staff
    assert min(min(row) for row in voice_name) < 100


@pytest.mark.parametrize(
    "score",
    [THEME, choir(), choir(("Violin one", "Viola", "Cello", "Bass"))],
    ids=["theme", "choir", "four"],
)
def test_nothing_is_cut_off(score: Score, tmp_path: Path) -> None:
    _, _, rows = pixels(image.write_png(score, tmp_path / "piece.png", width_px=800).read_bytes())
    for edge in (
        *rows[:5],
        *rows[-5:],
        b"".join(row[:20] for row in rows),
        b"".join(row[-20:] for row in rows),
    ):
        assert set(edge) == {255}, "five pixels of white all around"


def test_a_short_piece_is_narrow_and_a_long_one_fills_the_line(tmp_path: Path) -> None:
    long = melody([Note(24 * i, 24, 60 + i % 12) for i in range(120)])
    short_px, long_px = (
        pixel_width(image.write_png(score, tmp_path / "piece.png").read_bytes())
        for score in (THEME, long)
    )
    assert 300 <= short_px <= 1000
    assert long_px == image.FULL_LINE_PX


def test_svg_is_one_self_contained_page(tmp_path: Path) -> None:
    score = replace(choir(), title="Wer <nur> & den lieben", tempo_bpm=72)
    text = image.write_svg(score, tmp_path / "piece.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "\u2669" in text, "the note of the tempo mark is a letter of an ordinary font"
    assert not re.search(r"@font-face|@import|[\ue000-\uf8ff]", text)
    assert not re.findall(r'(?:href|src)="(?!#)', text)


def test_pictures_can_be_drawn_in_other_threads() -> None:
    expected = image.score_svg(choir())
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: image.score_svg(choir()), range(6))) == [expected] * 6


def test_what_does_not_fit_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="needs a note, this score has none"):
        image.score_svg(Score((Voice("Soprano", ()),)))
    with pytest.raises(FormatError, match="at most 200 bars, this score has 201"):
        image.score_svg(melody([Note(0, 200 * 96 + 1, 60)]))
    with pytest.raises(FormatError, match="at most 200 bars, this score has 201"):
        image.score_svg(melody([Note(200 * 96, 1, 60)], time_signatures=()))
    with pytest.raises(ValueError, match=r"width_px must be 100\.\.3000, got 99"):
        image.write_png(THEME, tmp_path / "theme.png", width_px=99)
    assert not list(tmp_path.iterdir())


def test_a_piece_of_several_pages_is_refused_as_one_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shorter paper, so that a short piece is long.
    monkeypatch.setitem(image._VEROVIO_OPTIONS, "pageHeight", 1000)
    score = melody([Note(24 * i, 24, 60 + i % 12) for i in range(160)])
    pages = image.score_svg(score)
    assert len(pages) > 1
    assert sum(n_elements("note", page) for page in pages) == 160
    with pytest.raises(FormatError, match=rf"one page, this score of 40 bars fills {len(pages)}"):
        image.write_svg(score, tmp_path / "long.svg")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 100), st.integers(0, 127), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([(1, 4), (3, 8), (4, 4), (5, 4), (12, 8), (3, 1)]),
    st.one_of(
        st.none(), st.builds(Key, st.integers(-7, 7), st.sampled_from(["major", "minor", ""]))
    ),
    st.text(max_size=8),
)
def test_any_melody_can_be_drawn(
    steps: list[tuple[int, int, int, bool]], signature: tuple[int, int], key: Key | None, name: str
) -> None:
    notes, now = [], 0
    for rest, duration, pitch, fermata in steps:
        notes.append(Note(now + rest, duration, pitch, fermata))
        now = notes[-1].end_ticks
    (svg,) = image.score_svg(
        melody(notes, name, time_signatures=((0, TimeSignature(*signature)),), key=key)
    )
    ElementTree.fromstring(svg)
    assert n_elements("note", svg) >= len(notes)


@pytest.mark.parametrize("name", ["verovio", "resvg_py"])
def test_missing_packages_name_the_command_that_installs_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        MissingExtraError,
        match=rf"pictures need {name.replace('_', '-')}; .* pip install 'seqmusic\[score\]'",
    ):
        image.write_png(THEME, tmp_path / "theme.png")

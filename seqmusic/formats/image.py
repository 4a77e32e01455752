"""Pictures of scores: verovio engraves them as SVG, resvg turns that into PNG (extra ``[score]``).

A score is engraved on one page that is as tall as the music, or on several where it is long. The
same score gives the same bytes.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError, MissingExtraError
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import SATB, TICKS_PER_WHOLE, Score

if TYPE_CHECKING:
    from seqmusic.formats.notation.measure_writing import NoteColor

MAX_BARS = 200
MAX_WIDTH_PX = 3000
FULL_LINE_PX = 1600
_PAGE_WIDTH = 2500  # verovio's units, a tenth of a millimeter before scaling
_PAGE_HEIGHT = 30000
_SCALE = 40  # percent
_SVG_WIDTH = _PAGE_WIDTH * _SCALE // 100  # width of the SVG
_VEROVIO_OPTIONS = {
    "inputFrom": "xml",
    "scale": _SCALE,
    "pageWidth": _PAGE_WIDTH,
    "pageHeight": _PAGE_HEIGHT,
    "pageMarginLeft": 60,  # with none the names of the voices touch the edge
    "adjustPageHeight": True,
    "header": "none",  # resvg misplaces the title
    "footer": "none",
    "svgViewBox": True,
    "smuflTextFont": "none",
    "xmlIdSeed": 1,
}
# The note of a tempo mark, in a music font and in any text font.
_MUSIC_QUARTER, _TEXT_QUARTER = "\ueca5", "\u2669"
_engraving_lock = threading.Lock()


def score_svg(
    score: Score,
    color: NoteColor | None = None,
    size_px: tuple[int, int] | None = None,
    marks: ScoreMarks = NO_MARKS,
) -> list[str]:
    """Pages of the engraved score, an SVG text each; most pieces fill one.

    Soprano, alto, tenor and bass share two staves. The ids of notes and rests are those of
    `musicxml_text`.

    Args:
        score: anything with a note in it.
        color: gives the color (``"#b5651d"``) of a note of the voice with this index, or None for
            black.
        size_px: width of a full line, and most height of a page; (1000, 12000) by default.
        marks: what is printed with it; with line breaks, no line is broken elsewhere.

    Raises:
        MissingExtraError: verovio is not installed.
        FormatError: the score has no note, or more than 200 bars.
    """
    from seqmusic.formats.notation.writing import musicxml_text

    verovio = _import_extra("verovio")
    _check_size(score)
    is_choir = tuple(voice.name for voice in score.voices) == SATB
    text = musicxml_text(score, color, "closed" if is_choir else "open", marks)
    breaks = "encoded" if marks.break_ticks else "auto"
    return _engrave(verovio, text, size_px, breaks)


def write_svg(
    score: Score,
    path: Path | str,
    color: NoteColor | None = None,
    marks: ScoreMarks = NO_MARKS,
) -> Path:
    """Write the picture as SVG and return its path; `color` and `marks` as in :func:`score_svg`.

    Raises:
        MissingExtraError: verovio is not installed.
        FormatError: the score has no note or does not fit one page, or the file cannot be written.
    """
    return write_atomic(Path(path), _single_page_svg(score, color, marks))


def write_png(
    score: Score,
    path: Path | str,
    color: NoteColor | None = None,
    width_px: int | None = None,
    marks: ScoreMarks = NO_MARKS,
) -> Path:
    """Write the picture as PNG and return its path; `color` and `marks` as in :func:`score_svg`.

    Args:
        width_px: width in pixels, 100..3000; without it a full line is 1600 wide, and a short piece
            as wide as it needs.

    Raises:
        MissingExtraError: verovio, resvg-py or matplotlib (for its fonts) is not installed.
        FormatError: the score has no note or does not fit one page, or the file cannot be
            written.
        ValueError: `width_px` is out of range.
    """
    if width_px is not None and not 100 <= width_px <= MAX_WIDTH_PX:
        raise ValueError(f"width_px must be 100..{MAX_WIDTH_PX}, got {width_px}")
    resvg, fonts = _import_extra("resvg_py"), _font_files()
    size = {"zoom": FULL_LINE_PX / _SVG_WIDTH} if width_px is None else {"width": width_px}
    pixels = resvg.svg_to_bytes(
        svg_string=_single_page_svg(score, color, marks),
        **size,
        skip_system_fonts=True,
        font_files=fonts,
        font_family="STIXGeneral",
        serif_family="STIXGeneral",
    )
    return write_atomic(Path(path), bytes(pixels))


@lru_cache(maxsize=1)
def _single_page_svg(score: Score, color: NoteColor | None, marks: ScoreMarks) -> str:
    pages = score_svg(score, color, marks=marks)
    if len(pages) > 1:
        raise FormatError(
            f"a picture holds one page, this score of {len(score.bars())} bars fills {len(pages)}; "
            "draw a part of it (Score.sliced), or write MusicXML"
        )
    return pages[0]


def _check_size(score: Score) -> None:
    if not score.n_notes:
        raise FormatError("a picture needs a note, this score has none")
    n_bars = len(score.bars()) or -(-score.end_ticks // TICKS_PER_WHOLE)
    if n_bars > MAX_BARS:
        raise FormatError(
            f"a picture holds at most {MAX_BARS} bars, this score has {n_bars}; "
            "draw a part of it (Score.sliced), or write MusicXML"
        )


def _engrave(
    verovio: ModuleType, musicxml: str, size_px: tuple[int, int] | None, breaks: str
) -> list[str]:
    """Pages of a MusicXML text, with the breaks of the engraver or of the text."""
    options: dict[str, object] = {**_VEROVIO_OPTIONS, "breaks": breaks}
    if size_px is not None:
        options["pageWidth"], options["pageHeight"] = (px * 100 // _SCALE for px in size_px)
    with _engraving_lock:  # verovio keeps global state (fonts, ids)
        verovio.enableLog(verovio.LOG_OFF)
        toolkit = verovio.toolkit(False)
        # Each thread has its path of the fonts, and by default only the importing thread has one.
        toolkit.setResourcePath(str(Path(str(verovio.__file__)).parent / "data"))
        toolkit.setOptions(options)
        if not toolkit.loadData(musicxml):
            raise FormatError(
                "the engraver could not read the score as MusicXML; write .musicxml to look at it"
            )
        pages = [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]
        if len(pages) == 1 and pages[0].count('class="system"') == 1:
            # A single line is no wider than its music.
            toolkit.setOptions({"adjustPageWidth": True})
            toolkit.redoLayout()
            pages = [toolkit.renderToSVG(1)]
    return [_finish_svg(page) for page in pages]


def _finish_svg(svg: str) -> str:
    """The page in its natural size, on white, with the tempo mark in an ordinary font."""
    music_note = rf'font-family="Leipzig" font-size="\d+px">{_MUSIC_QUARTER}'
    svg = re.sub(music_note, f'font-size="405px">{_TEXT_QUARTER}', svg)
    style = "max-width: 100%; height: auto"
    sized = rf'<svg width="\1" height="\2" style="{style}" viewBox="0 0 \1 \2"\3'
    white = '\n   <rect width="100%" height="100%" fill="#ffffff" style="stroke: none" />'
    return re.sub(r'<svg viewBox="0 0 (\d+) (\d+)"([^>]*>)', sized + white, svg, count=1)


def _import_extra(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.replace("_", "-")
        raise MissingExtraError(
            f"pictures need {package}; install it with: pip install 'seqmusic[score]'"
        ) from error


def _font_files() -> list[str]:
    """Text fonts that look the same on every machine: matplotlib ships them; it is not imported."""
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise MissingExtraError(
            "pictures need the fonts of matplotlib; install it with: pip install 'seqmusic[score]'"
        )
    folder = Path(package.origin).parent / "mpl-data/fonts/ttf"
    return sorted(str(path) for path in folder.glob("STIXGeneral*.ttf"))

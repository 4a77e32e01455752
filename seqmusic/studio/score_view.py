"""A score as the page shows it: engraved, as notes with their names, and as text bar by bar."""

from __future__ import annotations

import re
from typing import Any

from seqmusic.formats.image import score_svg
from seqmusic.formats.measures import printed_bars
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.formats.theme import theme_text
from seqmusic.score import Note, Score
from seqmusic.spelling import spell_notes
from seqmusic.tonality import key_name, with_inferred_key

MIN_WIDTH_PX, MAX_WIDTH_PX = 300, 1400
_MAX_HEIGHT_PX = 12000
_PRINTED = re.compile(r'<g id="v(\d+)-(\d+)" class="(note|rest|mRest)"')


def score_view(
    score: Score, given: Score | None, width_px: int, marks: ScoreMarks = NO_MARKS
) -> dict[str, Any]:
    """What the page needs to draw, play and read a score.

    Args:
        score: anything with a note in it.
        given: what it was composed from; its notes are marked as given.
        width_px: of a full line, 300..1400.
        marks: what is printed with it.

    Raises:
        MissingExtraError, FormatError: as `score_svg`.
    """
    width = min(max(width_px, MIN_WIDTH_PX), MAX_WIDTH_PX)
    given_notes = {
        (index, note)
        for index, voice in enumerate(given.voices if given else ())
        for note in voice.notes
    }
    score = with_inferred_key(score)
    pages = score_svg(score, size_px=(width, _MAX_HEIGHT_PX), marks=marks)
    signatures = score.time_signatures
    return {
        "svg": [page_svg(page, number) for number, page in enumerate(pages)],
        "voices": [voice.name for voice in score.voices],
        "bars": [[b.number, b.onset_ticks, b.end_ticks] for b in printed_bars(score)],
        "notes": _notes(score, given_notes),
        "end_ticks": score.end_ticks,
        "seconds_per_tick": score.seconds_per_tick,
        "key": key_name(score.key) if score.key else "",
        "time_signature": str(signatures[0][1]) if signatures else "",
        "theme": theme_text(score),
    }


def _notes(score: Score, given_notes: set[tuple[int, Note]]) -> list[list[Any]]:
    """[voice, onset, duration, pitch, name, whether it is given], by onset."""
    spelled = enumerate(zip(score.voices, spell_notes(score), strict=True))
    notes = [
        [
            *(index, note.onset_ticks, note.duration_ticks, note.pitch),
            *(str(spelling[note.onset_ticks]), int((index, note) in given_notes)),
        ]
        for index, (voice, spelling) in spelled
        for note in voice.notes
    ]
    return sorted(notes, key=lambda row: (row[1], row[0]))


def page_svg(svg: str, number: int) -> str:
    """An engraved page to be put into a document with a strict policy, beside other ones.

    It has no styles and no ids but those of its glyphs; a note or rest has `data-voice` and
    `data-tick`.
    """
    svg = _PRINTED.sub(r'<g data-voice="\1" data-tick="\2" class="\3"', svg)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<desc>.*?</desc>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<rect width="100%"[^>]*/>', "", svg, count=1)
    svg = re.sub(r' style="[^"]*"', "", svg)
    prefix = re.search(r'<svg [^>]*?id="(\w+)"', svg)
    svg = re.sub(r'<(g|tspan) id="[^"]*" class=', r"<\1 class=", svg)
    svg = re.sub(r">\s+<", "><", svg)
    if prefix:
        svg = svg.replace(f' id="{prefix[1]}"', "", 1).replace(prefix[1], f"page{number}")
    return svg

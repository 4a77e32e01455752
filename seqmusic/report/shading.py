"""Engraved scores whose notes carry what a page needs: a disc shaded by their surprise, and numbers that say which they are."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence

from seqmusic.formats.image import score_svg
from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.score import Score

MAX_BITS = 8  # more is shaded alike
# From light to dark, and yellow to red: told apart by lightness alone, and black notes are read on each of them.
_RAMP = ((255, 251, 224), (255, 224, 130), (255, 170, 70), (240, 112, 60), (214, 72, 72))
_STAFF_SPACE = 180  # between two lines of a staff, in the units of the engraving
_NOTEHEAD_WIDTHS = {
    "E0A2": 1.69,
    "E0A3": 1.18,
    "E0A4": 1.18,
}  # of whole, half and black heads, in spaces
_USE = r'<use xlink:href="#(E\w{3})-\w+" transform="translate\((-?\d+), (-?\d+)\)'
_ELEMENT = re.compile(
    r'<g id="v(?P<voice>\d+)-(?P<onset>\d+)" class="(?P<kind>note|rest|mRest)"[^>]*>\s*(?:<g class="notehead">\s*)?(?P<use>'
    + _USE
    + ")"
)


def shaded_svg(
    score: Score, explanation: Explanation, size_px: tuple[int, int], name: str
) -> list[str]:
    """Pages of the engraved score, to be put into an HTML page.

    A note or rest has the class "note" or "rest", also "given" where it is, `data-tick` (where the printed part of it begins) and,
    where the explanation holds it, `data-event` (its place there).

    Args:
        score: what is engraved.
        explanation: of that score.
        size_px: width of a full line, and most height of a page.
        name: of this engraving; ids begin with it, so that several can stand in one HTML page.

    Raises:
        MissingExtraError, FormatError: as `score_svg`.
    """
    lines: dict[int, list[tuple[int, int]]] = {}  # voice -> (onset, place in the explanation)
    for place, event in enumerate(explanation.events):
        lines.setdefault(event.voice, []).append((event.onset_ticks, place))
    pages = enumerate(score_svg(score, size_px=size_px))
    return [_annotate(svg, explanation.events, lines, f"{name}{number}") for number, svg in pages]


def surprise_color(bits: float) -> str:
    """The color of a surprise, "#rrggbb".

    >>> surprise_color(0), surprise_color(8), surprise_color(20)
    ('#fffbe0', '#d64848', '#d64848')
    """
    at = min(max(bits, 0.0), MAX_BITS) / MAX_BITS * (len(_RAMP) - 1)
    low = min(int(at), len(_RAMP) - 2)
    mixed = (
        round(a + (b - a) * (at - low)) for a, b in zip(_RAMP[low], _RAMP[low + 1], strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _annotate(
    svg: str,
    events: Sequence[ExplainedEvent],
    lines: Mapping[int, Sequence[tuple[int, int]]],
    name: str,
) -> str:
    def mark(found: re.Match[str]) -> str:
        tick = int(found["onset"])
        place = _sounding_event(lines.get(int(found["voice"]), ()), events, tick)
        event = None if place is None else events[place]
        classes = [
            "note" if found["kind"] == "note" else "rest",
            *(["given"] if event and event.is_given else []),
        ]
        tag = f'<g class="{" ".join(classes)}" data-tick="{tick}"' + (
            f' data-event="{place}">' if event else ">"
        )
        disc = "" if event is None or event.is_given else _disc(event.bits, *found.group(5, 6, 7))
        head = '<g class="notehead">' if "notehead" in found[0] else ""
        return f"{tag}{disc}{head}{found['use']}"

    marked = _ELEMENT.sub(mark, svg)
    own = re.search(r'<svg [^>]*?id="(\w+)"', svg)
    kept = re.sub(r'<(g|tspan) id="[^"]*" class=', r"<\1 class=", marked)
    return kept.replace(own[1], name) if own else kept


def _sounding_event(
    line: Sequence[tuple[int, int]], events: Sequence[ExplainedEvent], tick: int
) -> int | None:
    """Which event of a voice is on at a tick."""
    index = bisect.bisect_right(line, (tick, len(events))) - 1
    if index < 0:
        return None
    onset, place = line[index]
    return place if tick < onset + events[place].duration_ticks else None


def _disc(bits: float, glyph: str, x: str, y: str) -> str:
    """A disc around a notehead or rest; larger where the surprise is."""
    center = int(x) + _NOTEHEAD_WIDTHS.get(glyph, 1.0) * _STAFF_SPACE / 2
    radius = _STAFF_SPACE * (0.95 + 0.6 * min(bits, MAX_BITS) / MAX_BITS)
    return f'<circle class="disc" cx="{center:.0f}" cy="{y}" r="{radius:.0f}" fill="{surprise_color(bits)}" />'

"""Engraved scores for an HTML page: each note has a disc shaded by its surprise, and its index."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence

from seqmusic.formats.image import score_svg
from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.score import Score

MAX_BITS = 8  # all surprises above are shaded alike
# From light to dark, and yellow to red: they differ in lightness alone as well, and a black note is
# legible on each.
_RAMP = ((255, 251, 224), (255, 224, 130), (255, 170, 70), (240, 112, 60), (214, 72, 72))
_STAFF_SPACE = 180  # between two lines of a staff, in the units of the engraving
_NOTEHEAD_WIDTHS = {"E0A2": 1.69, "E0A3": 1.18, "E0A4": 1.18}  # whole, half, black; in spaces
_GLYPH = r'<use xlink:href="#(E\w{3})-\w+" transform="translate\((-?\d+), (-?\d+)\)'
_ELEMENT = re.compile(
    r'<g id="v(?P<voice>\d+)-(?P<onset>\d+)" class="(?P<kind>note|rest|mRest)"[^>]*>\s*'
    rf'(?:<g class="notehead">\s*)?(?P<glyph>{_GLYPH})'
)
_Onsets = Mapping[int, Sequence[tuple[int, int]]]  # voice -> (onset, index of the event), rising


def shaded_svg(
    score: Score, explanation: Explanation, size_px: tuple[int, int], name: str
) -> list[str]:
    """Pages of the engraved score, to be put into an HTML page.

    A note or rest has the class "note" or "rest", also "given" where it is, `data-tick` (where this
    printed part of it begins) and, where the explanation holds it, `data-event` (its index there).

    Args:
        score: what is engraved.
        explanation: of that score.
        size_px: width of a full line, and most height of a page.
        name: of this engraving; ids begin with it, so that several fit into one HTML page.

    Raises:
        MissingExtraError, FormatError: as `score_svg`.
    """
    onsets: dict[int, list[tuple[int, int]]] = {}
    for index, event in enumerate(explanation.events):
        onsets.setdefault(event.voice, []).append((event.onset_ticks, index))
    pages = enumerate(score_svg(score, size_px=size_px))
    return [_annotated(svg, explanation.events, onsets, f"{name}{number}") for number, svg in pages]


def surprise_color(bits: float) -> str:
    """The color of a surprise, "#rrggbb".

    >>> surprise_color(0), surprise_color(8), surprise_color(20)
    ('#fffbe0', '#d64848', '#d64848')
    """
    position = min(max(bits, 0.0), MAX_BITS) / MAX_BITS * (len(_RAMP) - 1)
    step = min(int(position), len(_RAMP) - 2)
    pairs = zip(_RAMP[step], _RAMP[step + 1], strict=True)
    mixed = (round(low + (high - low) * (position - step)) for low, high in pairs)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _annotated(svg: str, events: Sequence[ExplainedEvent], onsets: _Onsets, name: str) -> str:
    def annotate(match: re.Match[str]) -> str:
        tick = int(match["onset"])
        index = _sounding_event(onsets.get(int(match["voice"]), ()), events, tick)
        event = None if index is None else events[index]
        classes = "note" if match["kind"] == "note" else "rest"
        if event and event.is_given:
            classes += " given"
        tag = f'<g class="{classes}" data-tick="{tick}"'
        if event:
            tag += f' data-event="{index}"'
        disc = "" if event is None or event.is_given else _disc(event.bits, *match.group(5, 6, 7))
        head = '<g class="notehead">' if "notehead" in match[0] else ""
        return f"{tag}>{disc}{head}{match['glyph']}"

    annotated = _ELEMENT.sub(annotate, svg)
    prefix = re.search(r'<svg [^>]*?id="(\w+)"', svg)
    annotated = re.sub(r'<(g|tspan) id="[^"]*" class=', r"<\1 class=", annotated)
    return annotated.replace(prefix[1], name) if prefix else annotated


def _sounding_event(
    onsets: Sequence[tuple[int, int]], events: Sequence[ExplainedEvent], tick: int
) -> int | None:
    """The index of the event of a voice that sounds at a tick."""
    last = bisect.bisect_right(onsets, (tick, len(events))) - 1
    if last < 0:
        return None
    onset, index = onsets[last]
    return index if tick < onset + events[index].duration_ticks else None


def _disc(bits: float, glyph: str, x: str, y: str) -> str:
    """A disc around a notehead or rest; the larger, the more surprising it is."""
    center = int(x) + _NOTEHEAD_WIDTHS.get(glyph, 1.0) * _STAFF_SPACE / 2
    radius = _STAFF_SPACE * (0.95 + 0.6 * min(bits, MAX_BITS) / MAX_BITS)
    circle = f'<circle class="disc" cx="{center:.0f}" cy="{y}" r="{radius:.0f}"'
    return f'{circle} fill="{surprise_color(bits)}" />'

"""The construction of a motet as marks in its score: colores, taleae, ficta, a line a talea."""

from __future__ import annotations

from collections.abc import Iterator

from seqmusic.formats.score_marks import Bracket, Ficta, ScoreMarks, TextMark
from seqmusic.score import Key, Score
from seqmusic.transformation.cadences import cadences, leading_tones
from seqmusic.transformation.motet_plan import MotetPlan


def motet_marks(plan: MotetPlan, score: Score) -> ScoreMarks:
    """What is printed with a motet.

    Over the tenor stand the number of each color with its proportion and the letter of each talea,
    which has a bracket. The accidentals of leading tones stand above their notes.
    """
    tenor = len(score.voices) - 1
    return ScoreMarks(
        texts=tuple(_texts(plan, tenor)),
        brackets=tuple(_brackets(plan, tenor)),
        ficta=tuple(_ficta(plan, score)),
        break_ticks=tuple(_breaks(plan)),
    )


def talea_letter(number: int) -> str:
    """A, B ... Z, AA, BB ... of a talea that is counted from 0.

    >>> [talea_letter(number) for number in (0, 25, 26)]
    ['A', 'Z', 'AA']
    """
    return chr(ord("A") + number % 26) * (1 + number // 26)


def _texts(plan: MotetPlan, tenor: int) -> Iterator[TextMark]:
    layout = plan.layout
    texts: dict[int, list[str]] = {}
    for span, ratio in zip(layout.colores, layout.ratios, strict=True):
        onset = layout.notes[span.number * layout.n_color].onset_ticks
        speed = "" if ratio == layout.ratios[0] else f" ({ratio / layout.ratios[0]})"
        texts.setdefault(onset, []).append(f"Color {span.number + 1}{speed}")
    for span in layout.taleae:
        for index in layout.talea_notes(span)[:1]:
            onset = layout.notes[index].onset_ticks
            texts.setdefault(onset, []).append(f"talea {talea_letter(span.number)}")
    for onset, parts in sorted(texts.items()):
        yield TextMark(tenor, onset, ", ".join(parts))


def _brackets(plan: MotetPlan, tenor: int) -> Iterator[Bracket]:
    for span in plan.layout.taleae:
        indices = plan.layout.talea_notes(span)
        if len(indices) > 1:
            first, last = (
                plan.layout.notes[index].onset_ticks for index in indices[:: len(indices) - 1]
            )
            yield Bracket(tenor, first, last)


def _ficta(plan: MotetPlan, score: Score) -> Iterator[Ficta]:
    """The leading tones of the cadences that the key signature does not have, with those before.

    An accidental holds to the end of its bar, so it may stand at an earlier note of the same pitch.
    """
    signature, bar_ticks = _signature_classes(plan.key), plan.layout.time_signature.bar_ticks
    for index, voice in enumerate(score.voices):
        pitch = leading_tones(plan).get(voice.name)
        for cadence in cadences(plan) if pitch is not None and pitch % 12 not in signature else ():
            bar = (cadence.arrival_ticks - 1) // bar_ticks * bar_ticks
            for note in voice.notes:
                if note.pitch == pitch and bar <= note.onset_ticks < cadence.arrival_ticks:
                    yield Ficta(index, note.onset_ticks)


def _signature_classes(key: Key) -> frozenset[int]:
    return frozenset(7 * (key.sharps + fifth) % 12 for fifth in range(-1, 6))


def _breaks(plan: MotetPlan) -> Iterator[int]:
    """The bar line at or before the beginning of each talea; shorter taleae share a line."""
    bar = plan.layout.time_signature.bar_ticks
    longest = plan.layout.taleae[0].end_ticks - plan.layout.taleae[0].onset_ticks
    last = 0
    for span in plan.layout.taleae:
        tick = span.onset_ticks // bar * bar
        if tick and (tick - last >= longest // 2 + bar or span.onset_ticks - last >= longest):
            yield tick
            last = tick

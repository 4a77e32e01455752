"""The items of the list that concern the tenor and the contratenor: color, taleae, proportions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction

from seqmusic.score import Voice
from seqmusic.transformation.layout import Layout
from seqmusic.transformation.motet_plan import MotetPlan


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the list.

    Attributes:
        name: in check.json.
        passed: whether it holds; None where it is only reported.
        text: a sentence.
        values: the figures behind it.
    """

    name: str
    passed: bool | None
    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def to_data(self) -> dict[str, object]:
        """The item as plain data."""
        return asdict(self)


def statements(plan: MotetPlan, tenor: Voice) -> list[list[int]]:
    """Pitches of the tenor, statement by statement."""
    n_color = plan.layout.n_color
    pitches = [note.pitch for note in tenor.notes]
    return [pitches[i : i + n_color] for i in range(0, len(pitches), n_color)]


def color_check(plan: MotetPlan, tenor: Voice) -> Check:
    found = statements(plan, tenor)
    passed = len(found) == len(plan.layout.colores) and all(one == found[0] for one in found)
    text = f"The color of {len(found[0])} notes is complete and untransposed in all statements."
    if not passed:
        text = "A statement of the color differs from the first."
    return Check("color", passed, text, {"n_statements": len(found), "pitches": found[0]})


def tune_check(plan: MotetPlan, tenor: Voice) -> Check:
    color = plan.color
    n_changes = edit_distance(
        [pitch + color.shift for pitch in color.tune], statements(plan, tenor)[0]
    )
    text = "It is the tune, note by note."
    if color.n_prolonged:
        text = "It is the tune, with the upper neighbor of the final added before it."
    return Check("tune", n_changes == color.n_prolonged, text, {"edit_distance": n_changes})


def edit_distance(a: Sequence[int], b: Sequence[int]) -> int:
    """Insertions, deletions and replacements that make one sequence the other.

    >>> edit_distance([60, 62, 64], [60, 64])
    1
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def talea_check(plan: MotetPlan, tenor: Voice) -> Check:
    wrong = [
        span.number + 1
        for span, rhythm in zip(plan.layout.taleae, _talea_rhythms(plan, tenor), strict=True)
        if rhythm != [(s.units, s.is_rest) for s in plan.talea.steps][: len(rhythm)]
    ]
    n_taleae = len(plan.layout.taleae)
    text = f"All {n_taleae} taleae are equal, in their rests, too; the final is lengthened."
    if wrong:
        text = f"Of {n_taleae} taleae these differ: {wrong}."
    return Check("taleae", not wrong, text, {"n_taleae": n_taleae, "different": wrong})


def _talea_rhythms(plan: MotetPlan, tenor: Voice) -> list[list[tuple[Fraction, bool]]]:
    """Undiminished units and kind of each step of each talea, up to the final."""
    layout, found = plan.layout, []
    boundaries = {tick for note in tenor.notes for tick in (note.onset_ticks, note.end_ticks)}
    sounding = _sounding_spans(tenor)
    final = tenor.notes[-1].onset_ticks
    for span in layout.taleae:
        ticks = sorted(
            {span.onset_ticks, min(span.end_ticks, final)}
            | {tick for tick in boundaries if span.onset_ticks < tick < min(span.end_ticks, final)}
        )
        found.append(
            [
                (Fraction(b - a) / (layout.unit_ticks * layout.ratio_at(a)), a not in sounding)
                for a, b in itertools.pairwise(ticks)
            ]
        )
    return found


def _sounding_spans(voice: Voice) -> set[int]:
    """Onsets of the notes."""
    return {note.onset_ticks for note in voice.notes}


def proportion_check(plan: MotetPlan, tenor: Voice) -> Check:
    n_color, layout = plan.layout.n_color, plan.layout
    units = [step.units for step in plan.talea.steps]
    expected = [
        note.duration_ticks == units[phase] * layout.unit_ticks * layout.ratios[index // n_color]
        for index, (note, phase) in enumerate(zip(tenor.notes, layout.phases, strict=True))
    ]
    text = f"The colores stand in the proportion {proportion_text(layout)}, exactly."
    return Check("proportions", all(expected[:-1]), text, {"ratios": proportion_text(layout)})


def proportion_text(layout: Layout) -> str:
    """The proportions of the sections in lowest terms, such as 2 : 2 : 1."""
    common = max(ratio.denominator for ratio in layout.ratios)
    while any((ratio * common).denominator != 1 for ratio in layout.ratios):
        common += 1
    return " : ".join(str(ratio * common) for ratio in layout.ratios)


def contratenor_check(plan: MotetPlan, contratenor: Voice) -> Check:
    expected = [(e.onset_ticks, e.end_ticks) for e in plan.contratenor if not e.is_rest]
    found = [(note.onset_ticks, note.end_ticks) for note in contratenor.notes]
    text = f"The contratenor keeps a talea of its own: {plan.contratenor_talea}."
    return Check("contratenor", found == expected, text)

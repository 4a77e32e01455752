"""What was done to make a motet, sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seqmusic.tonality import key_name
from seqmusic.transformation.hocket import hocket_spans
from seqmusic.transformation.motet_plan import MotetPlan
from seqmusic.transformation.tenor_checks import proportion_text


def motet_sentences(plan: MotetPlan) -> Iterator[str]:
    """Sentences about tune, color, talea, proportions and voices, in this order."""
    yield from plan.color.remarks
    yield from _talea_sentences(plan)
    yield from _section_sentences(plan)
    yield from _voice_sentences(plan)
    yield "There are no words: two texts would belong to the upper voices, which sing vocalises."


def _talea_sentences(plan: MotetPlan) -> Iterator[str]:
    talea, layout = plan.talea, plan.layout
    name = f"of {talea.source}" if talea.source else "as typed"
    unit = "a quarter" if layout.unit_ticks == 24 else "a dotted quarter"
    yield f"The talea is {talea} ({name}): {talea.n_notes} notes in {talea.units} units of {unit}."
    n_color, n_meet = layout.n_color, math.lcm(layout.n_color, talea.n_notes)
    if n_color % talea.n_notes == 0:
        count = n_color // talea.n_notes
        statements = "one talea" if count == 1 else f"{count} taleae"
        yield f"A color of {n_color} notes is {statements}, so they end together."
        return
    yield (
        f"A color of {n_color} notes is no whole number of taleae: color and talea meet again "
        f"after {n_meet} notes, {n_meet // n_color} colores and {n_meet // talea.n_notes} taleae."
    )


def _section_sentences(plan: MotetPlan) -> Iterator[str]:
    layout = plan.layout
    n_colores, n_taleae = len(layout.colores), len(layout.taleae)
    n_quarters = layout.end_ticks / 24
    yield (
        f"The tenor sings the color {_times(n_colores)} over {n_taleae} taleae, "
        f"{len(layout.notes)} notes in {n_quarters:g} quarters, in {key_name(plan.key)}."
    )
    if len(set(layout.ratios)) > 1:
        yield f"The values stand in the proportion {proportion_text(layout)}: diminution."
    if plan.settings.introitus:
        yield f"The upper voices begin alone, with an introitus of {plan.settings.introitus} bars."


def _times(n: int) -> str:
    return {1: "once", 2: "twice", 3: "three times"}.get(n, f"{n} times")


def _voice_sentences(plan: MotetPlan) -> Iterator[str]:
    if plan.contratenor_talea:
        yield (
            f"The contratenor has a talea of its own, as long as the tenor's: "
            f"{plan.contratenor_talea}. Its pitches are composed first."
        )
    if plan.settings.hocket:
        n_hockets = len(list(hocket_spans(plan)))
        yield (
            f"Triplum and motetus alternate in hocket in {n_hockets} of "
            f"{len(plan.layout.taleae)} taleae."
        )
    if plan.settings.iso == "all":
        yield "The upper voices repeat the rhythm of the first talea in all others: panisorhythm."

"""From a source and settings to the plan of a motet, or a refusal before anything is composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from seqmusic.errors import RequestError
from seqmusic.generation.restrictions import REST_COLUMN
from seqmusic.meter import TICKS_PER_QUARTER
from seqmusic.score import Key, Score, Voice
from seqmusic.tonality import infer_key, key_correlations, tonic_pitch_class
from seqmusic.transformation.color import MAX_COLOR, MIN_COLOR, ColorSettings, color_of
from seqmusic.transformation.contratenor import contratenor_talea
from seqmusic.transformation.layout import fitting_unit, lay_out
from seqmusic.transformation.melody_finding import find_melody
from seqmusic.transformation.motet_plan import MotetPlan, MotetSettings, common_grid
from seqmusic.transformation.motet_tables import contratenor_table
from seqmusic.transformation.taleae import DEFAULT_TALEA, Talea, parse_sections, parse_talea

MAX_QUARTERS = 240
MAX_TENOR_NOTES = {"tenor": 90, "all": 72}
"""Notes of the tenor, around which the upper voices have about four each, in 1024 events."""


def most_color_notes(talea: Talea, sections: Sequence[Fraction], iso: str) -> int:
    """How many notes a color may have, so that the model can follow the piece.

    >>> from seqmusic.transformation.taleae import TALEAE
    >>> most_color_notes(TALEAE["o-canenda"], TALEAE["o-canenda"].sections, "tenor")
    30
    """
    quarters_per_note = talea.units / talea.n_notes * sum(sections)
    unit = Fraction(fitting_unit(talea, sections), TICKS_PER_QUARTER)
    fitting = int((MAX_QUARTERS - talea.units * unit) / (quarters_per_note * unit))
    return min(MAX_COLOR, fitting, MAX_TENOR_NOTES[iso] // len(sections))


def _require_length(n_color: int, n_most: int) -> None:
    """Refuse a color with which the piece is longer than a model can follow."""
    if n_color <= n_most:
        return
    remedy = f"ask for --notes {n_most - 1}"
    if n_most <= MIN_COLOR:
        remedy = f"take fewer sections, or shorter values such as --talea {DEFAULT_TALEA}"
    raise RequestError(
        f"a color of {n_color} notes makes the motet longer than the model can follow, which is "
        f"{MAX_QUARTERS} quarters or about 1000 notes; {remedy}"
    )


def key_with_mode(source: Score) -> Key:
    """The key of a piece; where only the signature is known, the mode that fits its notes better.

    >>> from seqmusic.formats.theme import parse_theme
    >>> key_with_mode(parse_theme("D4 E4 F4 A4 Bb4 A4 C#4 D4", key=Key(-1)))
    Key(sharps=-1, mode='minor')
    """
    if source.key is None:
        return infer_key(source)
    if source.key.mode:
        return source.key
    correlations = {  # by pitch class, because of keys that sound alike only one is listed
        (tonic_pitch_class(key), key.mode): value for key, value in key_correlations(source).items()
    }
    modes = [Key(source.key.sharps, mode) for mode in ("major", "minor")]
    return max(modes, key=lambda key: correlations[tonic_pitch_class(key), key.mode])


def plan_motet(source: Score, settings: MotetSettings) -> MotetPlan:
    """The plan of a motet on the melody of a piece.

    Raises:
        RequestError: the melody, the talea and the proportions do not go together; the message says
            what would.
    """
    talea = parse_talea(settings.talea)
    sections = parse_sections(settings.sections) if settings.sections else talea.sections
    melody = find_melody(source)
    key, n_most = key_with_mode(source), most_color_notes(talea, sections, settings.iso)
    color_settings = ColorSettings(
        n_notes=settings.notes,
        n_usual=talea.n_color_notes,
        n_most=n_most,
        n_talea=talea.n_notes,
        keep_repeats=settings.keep_repeats,
        n_voices=settings.voices,
    )
    color = color_of(melody, key, color_settings)
    layout = lay_out(color.pitches, talea, sections, settings.introitus)
    _require_length(len(color.pitches), n_most)
    if settings.iso == "all" and common_grid(sections) is None:
        raise RequestError(
            "--iso all repeats the rhythm of all voices in the proportions "
            f"{', '.join(map(str, sections))}, where a note would be shorter than a thirty-second; "
            "--sections 1,1/2 fits"
        )
    plan = MotetPlan(settings, talea, None, color, layout, color.key or key, source.title)
    return plan if settings.voices == 3 else _with_contratenor(plan)


def _with_contratenor(plan: MotetPlan) -> MotetPlan:
    """The plan with a talea of the contratenor whose every note some pitch suits.

    A note that lasts through several notes of the tenor may suit none of the pitches; it is then
    cut where the tenor moves, in all taleae.
    """
    cuts: frozenset[Fraction] = frozenset()
    while True:
        talea = contratenor_talea(plan.talea, plan.layout, cuts)
        planned = replace(plan, contratenor_talea=talea)
        more = _needed_cuts(planned)
        if more <= cuts:
            return planned
        cuts |= more


def _needed_cuts(plan: MotetPlan) -> frozenset[Fraction]:
    """Positions in the talea, in units, where a note of the contratenor must be cut."""
    table = contratenor_table(plan, Voice("Tenor", plan.layout.notes))
    units = [Fraction(0)]
    for step in plan.talea.steps:
        units.append(units[-1] + step.units)
    cuts = set()
    for event in plan.contratenor:
        if event.is_rest or table.beginning(event.onset_ticks)[:REST_COLUMN].any():
            continue
        inside = [
            phase
            for note, phase in zip(plan.layout.notes, plan.layout.phases, strict=True)
            if event.onset_ticks < note.onset_ticks < event.end_ticks
        ]
        cuts |= {units[inside[len(inside) // 2]]} if inside else set()
    return frozenset(cuts)

"""Composing a motet: the contratenor first, then the upper voices, each under its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from seqmusic.errors import RequestError
from seqmusic.generation.completion import Candidate, complete
from seqmusic.generation.composing import ranked
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import Rule
from seqmusic.generation.repeated_rhythm import Repeat, RepeatedRhythm
from seqmusic.generation.request import Request
from seqmusic.generation.restrictions import PrescribedSounds, Restriction, VoiceTable
from seqmusic.generation.structural_motion import StructuralMotion
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import SATB, Note, Score, Voice
from seqmusic.tokens.tokenizer import encode_prompt
from seqmusic.transformation.motet_plan import MotetPlan
from seqmusic.transformation.motet_rule import MotetRule
from seqmusic.transformation.motet_tables import contratenor_table, upper_table

UPPER_ROLES = ("Triplum", "Motetus")
SPEEDS = {"tenor": 3.8, "all": 4.5}
"""Notes of an upper voice to one of the tenor, to aim at. In panisorhythm more, because the first
talea decides about all others."""
_TEMPO_BPM = 84.0


def compose_motet(
    model: DecodableModel,
    plan: MotetPlan,
    request: Request,
    style: int | None = None,
    perfect_share: float | None = None,
) -> list[Candidate]:
    """Candidates of a motet, likeliest first; all have the same tenor and contratenor.

    Args:
        model: a trained model of four voices or more.
        plan: the tenor, and what belongs around it.
        request: how candidates are drawn.
        style: the number of a style that the model has learned; None for none.
        perfect_share: share of perfect sonorities above the tenor to aim at, 0..1; None for what
            the model prefers.

    Raises:
        RequestError: the model knows fewer voices, or the piece is longer than it can follow.
    """
    names = model_names(model, plan)
    lower = [Voice("Tenor", plan.layout.notes)]
    if plan.settings.voices == 4:
        slow = MotetRule(names["Tenor"], plan.layout.notes, plan.key, perfect_share)
        lower.insert(0, _compose_contratenor(model, plan, request, style, slow))
    tables = {
        names[role]: upper_table(plan, role, lower, holds_perfect=perfect_share is not None)
        for role in UPPER_ROLES
    }
    rule = MotetRule(
        names["Tenor"], plan.layout.notes, plan.key, perfect_share, SPEEDS[plan.settings.iso]
    )
    candidates = _compose(model, plan, lower, tables, request, style=style, rule=rule)
    return ranked(
        replace(one, score=_finished(one.score, plan, {names[role]: role for role in plan.roles}))
        for one in candidates
    )


def model_names(model: DecodableModel, plan: MotetPlan) -> dict[str, str]:
    """The names that a model has for the voices of a motet, by role.

    The tenor is the lowest voice of a chorale model, because all others are consonant above it.

    Raises:
        RequestError: the model has not learned as many voices.
    """
    learned = learned_voice_names(model.vocabulary)
    if len(plan.roles) > len(learned):
        raise RequestError(
            f"the model has learned {len(learned)} voices, and the motet has {len(plan.roles)}; "
            f"ask for --voices {len(learned)}, or name another --model"
        )
    if learned == SATB:
        learned = (*SATB[: len(plan.roles) - 1], SATB[-1])
    return dict(zip(plan.roles, learned, strict=False))


def _compose_contratenor(
    model: DecodableModel, plan: MotetPlan, request: Request, style: int | None, rule: Rule
) -> Voice:
    """The contratenor, composed in two voices with the tenor."""
    tenor = Voice("Tenor", plan.layout.notes)
    name = model_names(model, plan)["Contratenor"]
    tables = {name: contratenor_table(plan, tenor)}
    one = replace(request, n=1)
    (candidate,) = _compose(model, plan, [tenor], tables, one, style=style, rule=rule)
    composed = next(voice for voice in candidate.score.voices if voice.name == name)
    pitches = {note.onset_ticks: note.pitch for note in composed.notes}
    notes = [
        Note(event.onset_ticks, event.end_ticks - event.onset_ticks, pitches[event.onset_ticks])
        for event in plan.contratenor
        if not event.is_rest
    ]
    return Voice("Contratenor", tuple(notes))


def _compose(
    model: DecodableModel,
    plan: MotetPlan,
    given: Sequence[Voice],
    tables: Mapping[str, VoiceTable],
    request: Request,
    *,
    style: int | None,
    rule: Rule,
) -> list[Candidate]:
    """Candidates for the voices that have tables, beside given ones."""
    names, end = model_names(model, plan), plan.layout.end_ticks
    known = {names[voice.name]: voice.notes for voice in given}
    voices = [name for name in names.values() if name in known or name in tables]
    score = Score(
        tuple(Voice(name, known.get(name, ())) for name in voices),
        ((0, plan.layout.time_signature),),
        key=plan.key,
    )
    holes = tuple(() if name in known else ((0, end),) for name in voices)
    events = encode_prompt(score, holes, style, marks_phrases=model.vocabulary.marks_phrases)
    restrictions: list[Restriction] = [
        PrescribedSounds(tables),
        StructuralMotion(tuple(tables), plan.layout.notes),
    ]
    if plan.settings.iso == "all" and len(tables) > 1:
        restrictions.append(RepeatedRhythm(tuple(repeats(plan)), tables))
    constraints = Constraints(
        compass={}, lenience=request.lenience, restrictions=tuple(restrictions)
    )
    return complete(model, events, request, constraints, rule)


def repeats(plan: MotetPlan) -> list[Repeat]:
    """The steps of all taleae but the first, each with the step of the first that it repeats."""
    layout = plan.layout
    final = layout.notes[-1].onset_ticks
    first = layout.step_onsets[0]
    found = []
    for span, onsets in zip(layout.taleae[1:], layout.step_onsets[1:], strict=True):
        ends = [*onsets[1:], span.end_ticks]
        for source, onset, end in zip(first, onsets, ends, strict=False):
            ratio = Fraction(layout.ratio_at(onset)) / layout.ratio_at(source)
            if onset < final:
                found.append(Repeat(source, onset, min(end, final), ratio))
    return found


def _finished(score: Score, plan: MotetPlan, roles: Mapping[str, str]) -> Score:
    """The score with the names of its roles, and with one note over the final in each voice."""
    final = plan.layout.notes[-1]
    voices = []
    for voice in score.voices:
        notes = [note for note in voice.notes if note.onset_ticks < final.onset_ticks]
        last = next(note for note in voice.notes if note.end_ticks > final.onset_ticks)
        ticks = plan.layout.end_ticks - final.onset_ticks
        notes.append(Note(final.onset_ticks, ticks, last.pitch))
        voices.append(Voice(roles[voice.name], tuple(notes)))
    title = f"Motet on {plan.title}" if plan.title else "Motet"
    return replace(score, voices=tuple(voices), tempo_bpm=_TEMPO_BPM, title=title)

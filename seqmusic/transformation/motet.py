"""Composing a motet: the contratenor first, then the upper voices, each under its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seqmusic.errors import RequestError
from seqmusic.generation.completion import Candidate, complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.repeated_rhythm import RepeatedRhythm
from seqmusic.generation.request import Request
from seqmusic.generation.restrictions import PrescribedSounds, Restriction, VoiceTable
from seqmusic.generation.search.ranking import ranked
from seqmusic.generation.structural_motion import StructuralMotion
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import SATB, Note, Score, Voice
from seqmusic.tokens.tokenizer import encode_prompt
from seqmusic.transformation.cadences import cadences, leading_tones
from seqmusic.transformation.motet_plan import MotetPlan
from seqmusic.transformation.motet_rule import Goal, MotetRule
from seqmusic.transformation.motet_tables import contratenor_table, repeats, upper_table

_CHORALE_NAMES = {
    "Triplum": "Soprano",
    "Motetus": "Alto",
    "Contratenor": "Tenor",
    "Tenor": "Bass",
}
UPPER_ROLES = ("Triplum", "Motetus")
SPEEDS = {"tenor": 4.0, "all": 4.5}
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
    _require_voices(model, plan)
    composer = _Composer(model, plan, style, perfect_share)
    lower = [Voice("Tenor", plan.layout.notes)]
    if plan.settings.voices == 4:
        lower.insert(0, composer.compose_contratenor(request))
    tables = {
        role: upper_table(plan, role, lower, holds_perfect=perfect_share is not None)
        for role in UPPER_ROLES
    }
    candidates = composer.compose(lower, tables, request, SPEEDS[plan.settings.iso])
    return ranked(replace(one, score=_finished(one.score, plan)) for one in candidates)


def _require_voices(model: DecodableModel, plan: MotetPlan) -> None:
    """Refuse a motet of more voices than the model has learned."""
    n_learned, n_voices = len(learned_voice_names(model.vocabulary)), len(plan.roles)
    if n_voices > n_learned:
        raise RequestError(
            f"the model has learned {n_learned} voices, and the motet has {n_voices}; "
            f"ask for --voices {n_learned}, or name another --model"
        )


def model_names(model: DecodableModel, roles: Sequence[str]) -> dict[str, str]:
    """The names that a model has for the voices of a motet, by role.

    The tenor is the lowest voice of a chorale model, because all others are consonant above it.
    """
    learned = learned_voice_names(model.vocabulary)
    if learned == SATB:
        return {role: _CHORALE_NAMES[role] for role in roles}
    return dict(zip(roles, learned, strict=False))


@dataclass(frozen=True)
class _Composer:
    """Composes voices of a motet with the engine.

    Attributes:
        model: a trained model.
        plan: of the motet.
        style: the number of a style that the model has learned.
        perfect_share: share of perfect sonorities to aim at.
    """

    model: DecodableModel
    plan: MotetPlan
    style: int | None
    perfect_share: float | None

    def compose_contratenor(self, request: Request) -> Voice:
        """The contratenor, composed in two voices with the tenor."""
        tenor = Voice("Tenor", self.plan.layout.notes)
        table = contratenor_table(self.plan, tenor)
        (candidate,) = self.compose([tenor], {"Contratenor": table}, replace(request, n=1))
        composed = candidate.score.voices[0]
        pitches = {note.onset_ticks: note.pitch for note in composed.notes}
        notes = [
            Note(event.onset_ticks, event.end_ticks - event.onset_ticks, pitches[event.onset_ticks])
            for event in self.plan.contratenor
            if not event.is_rest
        ]
        return Voice("Contratenor", tuple(notes))

    def compose(
        self,
        given: Sequence[Voice],
        tables: Mapping[str, VoiceTable],
        request: Request,
        speed: float = 0.0,
    ) -> list[Candidate]:
        """Candidates for the roles that have tables, beside given ones; voices in their order."""
        plan, vocabulary = self.plan, self.model.vocabulary
        known = {voice.name: voice.notes for voice in given}
        roles = [role for role in plan.roles if role in known or role in tables]
        names = model_names(self.model, roles)
        score = Score(
            tuple(Voice(names[role], known.get(role, ())) for role in roles),
            ((0, plan.layout.time_signature),),
            key=plan.key,
        )
        holes = tuple(() if role in known else ((0, plan.layout.end_ticks),) for role in roles)
        events = encode_prompt(score, holes, self.style, marks_phrases=vocabulary.marks_phrases)
        constraints = Constraints(
            compass={},
            lenience=request.lenience,
            restrictions=self._restrictions({names[role]: tables[role] for role in tables}),
        )
        notes = plan.layout.notes
        goals = {names[role]: leading_tone_goals(plan, role) for role in tables}
        rule = MotetRule(names["Tenor"], notes, plan.key, self.perfect_share, speed, goals)
        return complete(self.model, events, request, constraints, rule)

    def _restrictions(self, tables: Mapping[str, VoiceTable]) -> tuple[Restriction, ...]:
        """What the form demands of the voices that have tables, by their names in the model."""
        notes = self.plan.layout.notes
        bound: list[Restriction] = [
            PrescribedSounds(tables),
            StructuralMotion(tuple(tables), notes),
        ]
        if self.plan.settings.iso == "all" and len(tables) > 1:
            bound.append(RepeatedRhythm(tuple(repeats(self.plan)), tables))
        return tuple(bound)


def leading_tone_goals(plan: MotetPlan, role: str) -> list[Goal]:
    """The leading tones of a voice, to which it draws near during a largest value."""
    pitch = leading_tones(plan).get(role)
    if pitch is None:
        return []
    goals = []
    for cadence in cadences(plan):
        ticks = plan.largest_value(plan.layout.ratio_at(cadence.approach_ticks))
        goals.append(Goal(cadence.approach_ticks - ticks, cadence.approach_ticks, pitch))
    return goals


def _finished(score: Score, plan: MotetPlan) -> Score:
    """The score with the names of its roles, and with one note over the final in each voice."""
    final = plan.layout.notes[-1]
    voices = []
    for role, voice in zip(plan.roles, score.voices, strict=True):
        notes = [note for note in voice.notes if note.onset_ticks < final.onset_ticks]
        last = next(note for note in voice.notes if note.end_ticks > final.onset_ticks)
        ticks = plan.layout.end_ticks - final.onset_ticks
        notes.append(Note(final.onset_ticks, ticks, last.pitch))
        voices.append(Voice(role, tuple(notes)))
    title = f"Motet on {plan.title}" if plan.title else "Motet"
    return replace(score, voices=tuple(voices), tempo_bpm=_TEMPO_BPM, title=title)

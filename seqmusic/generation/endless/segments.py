"""The segments of an endless piece, composed one after the other, each under the same rules.

A segment begins where the one before it in its movement ended: its last two bars are given. A theme
that returns is given in the soprano, in the new key, and set anew. What shares too long a passage
with a training work is drawn again, then at a lower temperature; if that does not help, an earlier
segment returns in the key of this one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.endless.plan import (
    MOVEMENT_SEGMENTS,
    SEGMENT_BARS,
    SegmentPlan,
    segment_plan,
)
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.score import SATB, Note, Score, Voice
from seqmusic.tokens.tokenizer import Hole
from seqmusic.tonality import tonic_pitch_class

CONTEXT_BARS = 2  # of the segment before, which are given
MAX_COPIED_NOTES = 15  # a longer passage of a training work is drawn again
TEMPO_BPM = 84.0
_ATTEMPTS = ((0, 0.8), (1, 0.8), (2, 0.8), (3, 0.6), (4, 0.6))  # number, temperature
_N_KEPT = 4 * MOVEMENT_SEGMENTS  # segments in memory
_LOWEST_OPENING = 65  # MIDI number
CopiedNotes = Callable[[Score], int]
"""How many notes of a score stand in a passage that a training work has, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Eight bars of an endless piece.

    Attributes:
        plan: what was decided before.
        score: its bars, from tick 0.
        attempt: how often it was drawn before it was accepted, 0 for the first time; -1 where an
            earlier segment returned instead.
        copied_notes: in the longest passage shared with a training work.
    """

    plan: SegmentPlan
    score: Score
    attempt: int
    copied_notes: int


class EndlessPiece:
    """The segments of one seed; those composed last are kept in memory.

    Args:
        model: a model of soprano, alto, tenor and bass.
        seed: 0 or more; it says everything.
        copied_notes: see `CopiedNotes`.
        effort: as in `Request`.
    """

    def __init__(
        self, model: DecodableModel, seed: int, copied_notes: CopiedNotes, effort: int = 2
    ) -> None:
        self.seed = seed
        self._effort = effort
        self._model = model
        self._copied_notes = copied_notes
        self._segments: OrderedDict[int, Segment] = OrderedDict()
        self._lock = threading.Lock()

    def segment(self, number: int) -> Segment:
        """Segment `number`; those of its movement that it depends on are composed first.

        Raises:
            RequestError: no music meets the rules.
            ValueError: there is no such number.
        """
        plan = segment_plan(self.seed, number)
        with self._lock:
            for earlier in range(number - plan.position, number + 1):
                if earlier not in self._segments:
                    self._segments[earlier] = self._compose(segment_plan(self.seed, earlier))
                self._segments.move_to_end(earlier)
            found = self._segments[number]
            while len(self._segments) > _N_KEPT:
                self._segments.popitem(last=False)
        return found

    def segments(self, first: int = 0) -> Iterator[Segment]:
        """The segments from number `first` on, without end."""
        number = first
        while True:
            yield self.segment(number)
            number += 1

    def _compose(self, plan: SegmentPlan) -> Segment:
        prompt = self._prompt(plan)
        start = prompt.end_ticks - SEGMENT_BARS * plan.time_signature.bar_ticks
        for attempt, temperature in _ATTEMPTS:
            request = Request(
                n=1,
                temperature=temperature,
                strict=True,
                cadence=None if plan.cadence else False,
                seed=_attempt_seed(self.seed, plan.number, attempt),
                effort=self._effort,
            )
            try:
                (candidate,) = compose_candidates(self._model, prompt, request)
            except RequestError:  # a dead end; the next seed
                continue
            copied = self._copied_notes(candidate.score)
            if copied <= MAX_COPIED_NOTES:
                score = candidate.score.sliced(start, prompt.end_ticks)
                return Segment(
                    plan=plan,
                    score=_titled(score, self.seed, plan),
                    attempt=attempt,
                    copied_notes=copied,
                )
        return self._earlier_in_key_of(plan)

    def _prompt(self, plan: SegmentPlan) -> Prompt:
        """The bars before, the returning theme if there is one, and holes for all else."""
        length = SEGMENT_BARS * plan.time_signature.bar_ticks
        given = self._context(plan)
        start = given.end_ticks if plan.position else 0
        lines = [voice.notes for voice in given.voices]
        holes: list[tuple[Hole, ...]] = [
            ((max(start, _end(line)), start + length),) for line in lines
        ]
        if plan.returns is not None:
            source = _in_key_of(self._segments[plan.returns].score, plan)
            theme = (replace(n, onset_ticks=n.onset_ticks + start) for n in source.voices[0].notes)
            lines[0] = (*lines[0], *theme)
            holes[0] = ()
        voices = tuple(Voice(name, line) for name, line in zip(SATB, lines, strict=True))
        score = replace(given, voices=voices, key=plan.key)
        return Prompt(score, tuple(holes))

    def _context(self, plan: SegmentPlan) -> Score:
        """The end of the segment before; of the first one of a movement, a note of the tonic."""
        signatures = ((0, plan.time_signature),)
        if not plan.position:
            rng = np.random.default_rng([self.seed, plan.number, 1])
            degree = (0, 4 if plan.key.mode == "major" else 3, 7)[rng.integers(3)]
            pitch_class = (tonic_pitch_class(plan.key) + degree) % 12
            pitch = _LOWEST_OPENING + (pitch_class - _LOWEST_OPENING) % 12
            opening = Voice(SATB[0], (Note(0, 24, pitch),))
            return Score((opening, *(Voice(name, ()) for name in SATB[1:])), signatures)
        before, bar_ticks = self._segments[plan.number - 1].score, plan.time_signature.bar_ticks
        end = SEGMENT_BARS * bar_ticks
        return before.sliced(end - CONTEXT_BARS * bar_ticks, end)

    def _earlier_in_key_of(self, plan: SegmentPlan) -> Segment:
        """The oldest segment of the movement in the key of `plan`, where all attempts failed."""
        first = plan.number - plan.position
        if first not in self._segments:
            raise RequestError(
                f"no music for segment {plan.number} of seed {self.seed} meets the rules in "
                f"{len(_ATTEMPTS)} attempts; try another seed"
            )
        earlier = self._segments[first]
        score = _titled(_in_key_of(earlier.score, plan), self.seed, plan)
        return Segment(plan=plan, score=score, attempt=-1, copied_notes=earlier.copied_notes)


def _in_key_of(score: Score, plan: SegmentPlan) -> Score:
    """A score moved by the fewest semitones into the key of a segment."""
    assert score.key is not None
    rise = (tonic_pitch_class(plan.key) - tonic_pitch_class(score.key)) % 12
    return replace(score.transposed(rise - 12 if rise > 6 else rise), key=plan.key)


def _titled(score: Score, seed: int, plan: SegmentPlan) -> Score:
    title = f"Forever {seed}, segment {plan.number}"
    return replace(score, key=plan.key, title=title, tempo_bpm=TEMPO_BPM)


def _attempt_seed(seed: int, number: int, attempt: int) -> int:
    return int(np.random.SeedSequence([seed, number, attempt]).generate_state(1)[0])


def _end(notes: tuple[Note, ...]) -> int:
    return notes[-1].end_ticks if notes else 0

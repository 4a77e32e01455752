"""What a model knows about the voices that are missing: with the whole of the soprano known, and with its past alone.

Two questions are asked of the same model. Given the soprano, the other voices are composed with all of it standing before them.
Without look-ahead all four voices are composed together, and the soprano is only told note by note as it is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.baselines.ngram import NGram
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints, allowed_durations, allowed_sounds
from seqmusic.generation.partial_candidate import PartialCandidate, choose_durations, choose_sounds
from seqmusic.generation.prompts import Prompt, with_voices
from seqmusic.generation.request import Request
from seqmusic.generation.sampling import LogProbabilities
from seqmusic.metrics.likelihood import score_events
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import pitch_grid
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, make_grammar_masks
from seqmusic.score import SATB, TICKS_PER_SIXTEENTH, Score
from seqmusic.tokens.context import GLOBAL_COLUMNS
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, Hole, encode, encode_prompt, is_scored_event, trace
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, VOICE, voice_name

NO_CONSTRAINTS = Constraints({})
_VOICE = GLOBAL_COLUMNS.index("voice")


@dataclass(frozen=True, slots=True)
class VoiceNats:
    """The negative log-likelihood of some voices of several pieces.

    Attributes:
        nats: of each piece, of the notes and rests of those voices.
        cells: of each piece, of those voices: sixteenth steps x voices.
    """

    nats: tuple[float, ...]
    cells: tuple[int, ...]

    @property
    def per_cell(self) -> float:
        """Over all cells alike."""
        return sum(self.nats) / sum(self.cells)


def voice_nats(
    model: Transformer, scores: Sequence[Score], voices: Sequence[str], given: Sequence[str] = ()
) -> VoiceNats:
    """What some voices of four-part pieces cost, others being given as a whole; the rest are heard only as they come.

    Args:
        model: a trained model.
        scores: in Soprano, Alto, Tenor and Bass.
        voices: those that are counted.
        given: those that stand before the music, with all that is to come in them; where there are some, the end is known as well.
    """
    sequences = [
        trace(encode(score, _holes(score, given) if given else None), DEFAULT_MAX_VOICES)
        for score in scores
    ]
    counted = [1 + SATB.index(name) for name in voices]
    nats = []
    for sequence, scored in zip(
        sequences, score_events(model, sequences, make_grammar_masks(_device(model))), strict=True
    ):
        is_theirs = np.isin(sequence.context[scored.rows, _VOICE], counted) & (
            sequence.events[scored.rows + 1, 1] > 0
        )
        nats.append(float(scored.nats[is_theirs].sum()))
    return VoiceNats(
        tuple(nats),
        tuple(len(voices) * -(-score.end_ticks // TICKS_PER_SIXTEENTH) for score in scores),
    )


def nats_in_order(
    model: Transformer, scores: Sequence[Score], orders: Sequence[Sequence[str]]
) -> VoiceNats:
    """What all four voices cost when they are composed one after the other, each with those before it given.

    By the chain rule every order costs the same for a perfect model. The header is not counted, the end only with the first voice.

    Args:
        model: a trained model.
        scores: in Soprano, Alto, Tenor and Bass.
        orders: one a piece, of the four names.
    """
    nats = np.zeros(len(scores))
    for place in range(len(SATB)):
        sequences = []
        for score, order in zip(scores, orders, strict=True):
            present = sorted(order[: place + 1], key=SATB.index)
            part = replace(
                score, voices=tuple(voice for voice in score.voices if voice.name in present)
            )
            holes = [() if name != order[place] else ((0, score.end_ticks),) for name in present]
            sequences.append(trace(encode(part, holes if place else None), DEFAULT_MAX_VOICES))
        for index, (sequence, scored) in enumerate(
            zip(
                sequences,
                score_events(model, sequences, make_grammar_masks(_device(model))),
                strict=True,
            )
        ):
            is_body = sequence.context[scored.rows, _VOICE] > 0
            nats[index] += scored.nats[is_body].sum()
    return VoiceNats(
        tuple(nats.tolist()),
        tuple(len(SATB) * -(-score.end_ticks // TICKS_PER_SIXTEENTH) for score in scores),
    )


def harmonize_with_lookahead(model: Transformer, score: Score, request: Request) -> list[Score]:
    """The soprano of a score with other voices, composed with look-ahead; free of constraints."""
    prompt = _single_voice_prompt(score, "Soprano")
    return [
        one.score
        for one in complete(
            model, encode_prompt(prompt.score, prompt.holes), request, NO_CONSTRAINTS
        )
    ]


def harmonize_without_lookahead(model: Transformer, score: Score, request: Request) -> list[Score]:
    """The soprano of a score with other voices, composed without look-ahead: the soprano is told as it is reached.

    The end is known, as it is to `harmonize_with_lookahead`.
    """
    prompt = _single_voice_prompt(score, "")
    rule = partial(_force_events, forced_events=_events_by_tick(score))
    return [
        one.score
        for one in complete(
            model, encode_prompt(prompt.score, prompt.holes), request, NO_CONSTRAINTS, rule
        )
    ]


def harmonize_with_ngram(model: NGram, score: Score, request: Request) -> list[Score]:
    """The same by an n-gram, which never looks ahead."""
    prompt = _single_voice_prompt(score, "")
    rule = partial(_force_events, forced_events=_events_by_tick(score))
    found = []
    for index in range(request.n):
        state = GrammarState(DEFAULT_MAX_VOICES)
        for sound, duration in encode_prompt(prompt.score, prompt.holes)[1:]:
            state.push(sound, duration)
        rng = np.random.default_rng([request.seed, index])
        stream = PartialCandidate(state, rng, NO_CONSTRAINTS, rule)
        said: dict[int, list[Event]] = {}
        while not stream.is_done:
            place = state.context().tolist()
            own = said.setdefault(place[_VOICE], [(0, 0), (0, 0)])
            sounds, durations = np.ones(N_SOUNDS), np.ones(N_DURATIONS)
            if state.voice is not None:
                sounds = model.next_sound(place, own, allowed_sounds(state, NO_CONSTRAINTS))
            (sound,) = choose_sounds([stream], _logits(sounds)[None], request.pitch_sampling)
            if state.voice is not None and sound < KEY:
                durations = model.next_duration(
                    place, own, sound, allowed_durations(state, sound, NO_CONSTRAINTS)
                )
            (duration,) = choose_durations(
                [stream], _logits(durations)[None], [sound], request.rhythm_sampling
            )
            stream.advance(sound, duration)
            own.append((sound, duration))
        found.append(state.score())
    return found


def count_matching_cells(
    generated: Score, reference: Score, voices: Sequence[str] = SATB[1:]
) -> tuple[int, int]:
    """Cells of the sixteenth grid in which those voices sound the same pitch in both, and all of theirs."""
    rows = [SATB.index(name) for name in voices]
    a, b = pitch_grid(generated)[rows], pitch_grid(reference)[rows]
    return int((a == b).sum()), b.size


def mean_cell_accuracy(
    scores: Sequence[Score],
    harmonize: Callable[[Score], list[Score]],
    on_progress: Callable[[], None] = lambda: None,
) -> float:
    """Share of the cells of alto, tenor and bass that were met, over all that is made for each score."""
    hits = chances = 0
    for score in scores:
        for generated in harmonize(score):
            own_hits, own_chances = count_matching_cells(generated, score)
            hits, chances = hits + own_hits, chances + own_chances
        on_progress()
    return hits / chances


def _holes(score: Score, given: Sequence[str]) -> list[list[Hole]]:
    return [[] if voice.name in given else [(0, score.end_ticks)] for voice in score.voices]


def _single_voice_prompt(score: Score, name: str) -> Prompt:
    """The prompt in which one voice is given, or none."""
    kept = tuple(
        replace(voice, notes=voice.notes if voice.name == name else ()) for voice in score.voices
    )
    holes = tuple(() if own == name else ((0, score.end_ticks),) for own in SATB)
    return Prompt(with_voices(replace(score, voices=kept), SATB, SATB), holes)


def _events_by_tick(score: Score) -> dict[int, Event]:
    """What the soprano says at each tick where it says something."""
    state, found = GrammarState(DEFAULT_MAX_VOICES), {}
    for index, (sound, duration) in enumerate(encode(score)):
        if index:
            if state.voice == VOICE and is_scored_event(state, sound) and sound < KEY:
                found[state.tick] = (sound, duration)
            state.push(sound, duration)
    return found


def _force_events(
    log_probabilities: LogProbabilities, state: GrammarState, forced_events: dict[int, Event]
) -> LogProbabilities:
    """Nothing but what the soprano says here, where it is its turn."""
    if state.voice is None or voice_name(state.voice) != SATB[0] or state.tick not in forced_events:
        return log_probabilities
    forced = np.full_like(log_probabilities, -np.inf)
    forced[forced_events[state.tick][len(log_probabilities) == 97]] = 0.0
    return forced


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(np.maximum(probabilities, 1e-30)).astype(np.float32)


def _device(model: Transformer) -> torch.device:
    return next(model.parameters()).device

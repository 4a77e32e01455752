"""Harmonizations of a soprano with and without look-ahead, and how often they match Bach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.viewpoints import NO_EVENT
from seqmusic.generation.candidate_batch import state_after
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints, allowed_durations, allowed_sounds
from seqmusic.generation.partial_candidate import PartialCandidate, choose_durations, choose_sounds
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.generation.requested_voices import with_voices
from seqmusic.generation.sampling import LogProbabilities
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import pitch_grid
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.score import SATB, Score
from seqmusic.tokens.context import VOICE_COLUMN
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, encode, encode_prompt, is_scored_event
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, VOICE, is_note_event

NO_CONSTRAINTS = Constraints({})
SOPRANO = SATB[0]


def harmonize_with_lookahead(model: Transformer, score: Score, request: Request) -> list[Score]:
    """The soprano of a score with other voices, composed knowing all of it, without constraints."""
    candidates = complete(model, _prompt_events(score, given=SOPRANO), request, NO_CONSTRAINTS)
    return [candidate.score for candidate in candidates]


def harmonize_without_lookahead(model: Transformer, score: Score, request: Request) -> list[Score]:
    """The soprano of a score with other voices, composed while its notes are forced as they come.

    The end is known, as it is to `harmonize_with_lookahead`.
    """
    rule = partial(_force_events, forced_events=_soprano_events(score))
    candidates = complete(model, _prompt_events(score), request, NO_CONSTRAINTS, rule)
    return [candidate.score for candidate in candidates]


def harmonize_with_ngram(model: NGram, score: Score, request: Request) -> list[Score]:
    """As `harmonize_without_lookahead`, by an n-gram."""
    rule = partial(_force_events, forced_events=_soprano_events(score))
    events = _prompt_events(score)
    scores = []
    for index in range(request.n):
        rng = np.random.default_rng([request.seed, index])
        state = state_after(events, DEFAULT_MAX_VOICES)
        candidate = PartialCandidate(state, rng, NO_CONSTRAINTS, rule)
        _compose_with_ngram(model, candidate, request)
        scores.append(candidate.state.score())
    return scores


def _compose_with_ngram(model: NGram, candidate: PartialCandidate, request: Request) -> None:
    """Continue the candidate to its end."""
    state = candidate.state
    past_events: dict[int, list[Event]] = {}
    while not candidate.is_done:
        context = state.context().tolist()
        past = past_events.setdefault(context[VOICE_COLUMN], [NO_EVENT] * 2)
        sounds, durations = np.ones(N_SOUNDS), np.ones(N_DURATIONS)
        if state.voice is not None:
            sounds = model.next_sound(context, past, allowed_sounds(state, NO_CONSTRAINTS))
        (sound,) = choose_sounds([candidate], _logits(sounds), request.pitch_sampling)
        if state.voice is not None and sound < KEY:
            allowed = allowed_durations(state, sound, NO_CONSTRAINTS)
            durations = model.next_duration(context, past, sound, allowed)
        (duration,) = choose_durations(
            [candidate], _logits(durations), [sound], request.rhythm_sampling
        )
        candidate.advance(sound, duration)
        if is_note_event(sound):
            past.append((sound, duration))


def count_matching_cells(
    generated: Score, reference: Score, voices: Sequence[str] = SATB[1:]
) -> tuple[int, int]:
    """Sixteenth cells of some voices with the same pitch in both scores, and all their cells."""
    rows = [SATB.index(name) for name in voices]
    a, b = pitch_grid(generated)[rows], pitch_grid(reference)[rows]
    return int((a == b).sum()), b.size


def cell_accuracy(pairs: Sequence[tuple[Score, Score]]) -> float:
    """Share of the cells of alto, tenor and bass that generated scores have as their references."""
    counts = [count_matching_cells(generated, reference) for generated, reference in pairs]
    matching, cells = map(sum, zip(*counts, strict=True))
    return matching / cells


def _prompt_events(score: Score, given: str = "") -> list[Event]:
    """The beginning of a sequence in which one voice is given, or none."""
    voices = tuple(
        voice if voice.name == given else replace(voice, notes=()) for voice in score.voices
    )
    holes = tuple(() if name == given else ((0, score.end_ticks),) for name in SATB)
    prompt = Prompt(with_voices(replace(score, voices=voices), SATB, SATB), holes)
    return encode_prompt(prompt.score, prompt.holes)


def _soprano_events(score: Score) -> dict[int, Event]:
    """The notes and rests of the soprano, by onset in ticks."""
    state, found = GrammarState(DEFAULT_MAX_VOICES), {}
    for sound, duration in encode(score)[1:]:
        if state.voice == VOICE and is_scored_event(state, sound) and sound < KEY:
            found[state.tick] = (sound, duration)
        state.push(sound, duration)
    return found


def _force_events(
    log_probabilities: LogProbabilities, state: GrammarState, forced_events: dict[int, Event]
) -> LogProbabilities:
    """Only the event of the soprano, where it comes next: its sound, or its duration."""
    if state.voice != VOICE or state.tick not in forced_events:
        return log_probabilities
    sound, duration = forced_events[state.tick]
    forced = np.full_like(log_probabilities, -np.inf)
    forced[duration if len(log_probabilities) == N_DURATIONS else sound] = 0.0
    return forced


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    """(1, id)."""
    return np.log(np.maximum(probabilities, 1e-30)).astype(np.float32)[None]

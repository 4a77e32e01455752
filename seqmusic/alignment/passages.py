"""Passages to compose: the beginnings of works, and candidates that go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.evaluation.samples import Opening
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompt_sequence import sequence_after_prompt
from seqmusic.generation.prompts import Prompt, fitting_shift
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.model.settings import Vocabulary
from seqmusic.progress import track
from seqmusic.score import TICKS_PER_QUARTER, Score
from seqmusic.tokens.tokenizer import Trace, normalized, trace

MODEL_ALONE = Request(temperature=1.0, lenience=1.0, cadence=False, effort=0)
"""Samples the distribution of the model as it is: no masks, no search."""
MIN_GIVEN_BEATS, MAX_GIVEN_BEATS = 8, 24


@dataclass(frozen=True, slots=True)
class Continued:
    """One way to go on from the beginning of a work.

    Attributes:
        score: the beginning with what follows.
        passage: what follows alone.
        sequence: the events of `score`, of which those of `passage` are scored.
    """

    score: Score
    passage: Score
    sequence: Trace


def draw_passages(works: Sequence[Score], n: int, beats: int, seed: int) -> list[Opening]:
    """`n` beginnings of works, each to be continued for some beats; works alternate.

    Eight to 24 beats are given, up to a bar line. Works without a meter, or too short, are left
    out.

    Args:
        works: whole pieces.
        n: number of passages; none if no work is long enough.
        beats: how many quarters are to be composed.
        seed: of the order of the works and of the bar lines.
    """
    rng = np.random.default_rng(seed)
    cuts = [(score, _cuts(score, beats)) for score in map(normalized, works)]
    found = [(score, ticks) for score, ticks in cuts if ticks]
    order = [i for _ in range(-(-n // max(1, len(found)))) for i in rng.permutation(len(found))]
    passages = []
    for score, ticks in (found[number] for number in order[:n]):
        tick = ticks[int(rng.integers(len(ticks)))]
        passages.append(Opening(score.sliced(0, tick + beats * TICKS_PER_QUARTER), tick))
    return passages


def first_passage(work: Score, given_bars: int, bars: int) -> Opening | None:
    """The beginning of a work, to be continued for `bars` bars; None if it has fewer in all."""
    score = normalized(work)
    n_whole = len([bar for bar in score.bars() if bar.number])
    return _cut(score, given_bars, bars) if n_whole >= given_bars + bars else None


def continue_passage(model: DecodableModel, passage: Opening, request: Request) -> list[Continued]:
    """Distinct candidates that continue a passage; none where the model reaches no end."""
    prompt = passage.prompt
    try:
        candidates = compose_candidates(model, prompt, request)
    except RequestError:
        return []
    return [
        Continued(
            candidate.score,
            passage.continuation(candidate.score),
            composed_sequence(model.vocabulary, candidate.score, prompt),
        )
        for candidate in candidates
    ]


def continue_passages(
    model: DecodableModel, passages: Sequence[Opening], request: Request
) -> list[list[Continued]]:
    """The candidates of each passage, passage i with the seed of the request plus i."""
    return [
        continue_passage(model, passage, replace(request, seed=request.seed + number))
        for number, passage in enumerate(track(passages, "composing", "passage"))
    ]


def composed_sequence(vocabulary: Vocabulary, score: Score, prompt: Prompt) -> Trace:
    """The events of a finished score, of which only the composed ones are scored."""
    moved = score.transposed(fitting_shift(prompt.score))
    found = trace(sequence_after_prompt(vocabulary, moved, prompt), vocabulary.max_voices)
    is_music = found.context[:, vocabulary.voice_column] > 0  # the header is given
    return replace(found, is_scored=found.is_scored & is_music)


def _cuts(score: Score, beats: int) -> list[int]:
    """Ticks of the bar lines with enough before them and after."""
    first, last = MIN_GIVEN_BEATS * TICKS_PER_QUARTER, MAX_GIVEN_BEATS * TICKS_PER_QUARTER
    latest = min(last, score.end_ticks - beats * TICKS_PER_QUARTER)
    return [bar.end_ticks for bar in score.bars() if first <= bar.end_ticks <= latest]


def _cut(score: Score, n_given: int, bars: int) -> Opening:
    """The first bars of a score, of which the first `n_given` are given."""
    whole = [bar for bar in score.bars() if bar.number]
    end = min(score.end_ticks, whole[n_given + bars - 1].end_ticks)
    return Opening(score.sliced(0, end), whole[n_given - 1].end_ticks)

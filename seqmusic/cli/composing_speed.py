"""How fast this machine composes."""

from __future__ import annotations

import time

from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.score import SATB, TICKS_PER_QUARTER, Score, Voice
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.tokenizer import encode_prompt

_BARS = 16
_QUARTERS_PER_SECOND = 2  # at 120 quarter notes a minute


def composing_speed(model: DecodableModel) -> str:
    """Notes per second and multiple of real time at 120 quarters a minute, as text.

    They are those of one four-voice piece of 16 bars.
    """
    empty = Score(tuple(Voice(name, ()) for name in SATB))
    free = Constraints(COMPASS)
    end = _BARS * 4 * TICKS_PER_QUARTER
    prompt = encode_prompt(empty, [[(0, end)] for _ in SATB])
    short = encode_prompt(empty, [[(0, 96)] for _ in SATB])
    complete(model, short, Request(n=1), free)  # the first call is slower
    started = time.perf_counter()
    (candidate,) = complete(model, prompt, Request(n=1), free)
    seconds = time.perf_counter() - started
    times = end / TICKS_PER_QUARTER / _QUARTERS_PER_SECOND / seconds
    notes_per_second = candidate.n_events / seconds
    return (
        f"{notes_per_second:,.0f} notes/s, {times:,.0f} times real time "
        "(one piece in four voices, cpu)"
    )

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
    """Notes a second and times real time at 120 quarters a minute, for one four-voice piece of 16 bars, in words."""
    empty = Score(tuple(Voice(name, ()) for name in SATB))
    free = Constraints(COMPASS)
    end = _BARS * 4 * TICKS_PER_QUARTER
    prompt = encode_prompt(empty, [[(0, end)] for _ in SATB])
    complete(
        model, encode_prompt(empty, [[(0, 96)] for _ in SATB]), Request(n=1), free
    )  # the first call is slower
    started = time.perf_counter()
    (candidate,) = complete(model, prompt, Request(n=1), free)
    seconds = time.perf_counter() - started
    times = end / TICKS_PER_QUARTER / _QUARTERS_PER_SECOND / seconds
    return f"{candidate.n_events / seconds:,.0f} notes/s, {times:,.0f} times real time (one piece in four voices, cpu)"

"""The plan of an endless piece: which key, meter and theme each segment of eight bars has.

Nine segments make a movement, a rondo of a kind: it has one meter, its key walks along the circle
of fifths and comes home, and its themes return three to eight segments later. Plans follow from a
seed alone, so that every segment has an address and is composed again from at most eight others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.score import Key, TimeSignature, transposed_key

SEGMENT_BARS = 8
MOVEMENT_SEGMENTS = 9
MAX_SEGMENT = 10**9
_HOME_KEYS = (
    *(Key(sharps, "major") for sharps in (-3, -2, -1, 0, 1, 2, 3)),
    *(Key(sharps, "minor") for sharps in (-2, -1, 0, 1, 2)),
)
_TIME_SIGNATURES = (TimeSignature(4, 4), TimeSignature(4, 4), TimeSignature(3, 4))
_MIN_RETURN, _MAX_RETURN = 3, 8  # segments between a theme and its return
_RETURN_PROBABILITY = 0.5
_FIFTH = 7  # semitones
_MAX_DISTANCE = 1  # fifths from the home key


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPlan:
    """What is decided about a segment before a note of it is composed.

    Attributes:
        number: of the segment in the stream, from 0.
        theme: its letter in the movement, A, B, C ...
        returns: the number of the segment whose theme returns; None for a new theme.
        key: of the segment.
        time_signature: of the movement.
        cadence: whether it ends on the tonic chord.
    """

    number: int
    theme: str
    returns: int | None
    key: Key
    time_signature: TimeSignature
    cadence: bool

    @property
    def position(self) -> int:
        """Its place in the movement, from 0."""
        return self.number % MOVEMENT_SEGMENTS


def segment_plan(seed: int, number: int) -> SegmentPlan:
    """The plan of one segment; the same seed and number give the same plan."""
    return movement_plan(seed, number // MOVEMENT_SEGMENTS)[number % MOVEMENT_SEGMENTS]


def movement_plan(seed: int, movement: int) -> tuple[SegmentPlan, ...]:
    """The plans of the nine segments of a movement.

    >>> plans = movement_plan(7, 0)
    >>> plans[0].key == plans[-1].key, plans[-1].theme, plans[-1].returns
    (True, 'A', 0)

    Raises:
        ValueError: the seed or the movement is negative, or beyond a billion segments.
    """
    if seed < 0 or not 0 <= movement <= MAX_SEGMENT // MOVEMENT_SEGMENTS:
        raise ValueError(
            f"seed and number of a segment must be in 0..{MAX_SEGMENT:,}, got seed {seed}, "
            f"segment {movement * MOVEMENT_SEGMENTS}"
        )
    rng = np.random.default_rng([seed, movement])
    keys = _walk(_HOME_KEYS[rng.integers(len(_HOME_KEYS))], rng)
    signature = _TIME_SIGNATURES[rng.integers(len(_TIME_SIGNATURES))]
    returns = _returns(rng)
    plans: list[SegmentPlan] = []
    for position, (key, source) in enumerate(zip(keys, returns, strict=True)):
        n_themes = sum(plan.returns is None for plan in plans)
        plans.append(
            SegmentPlan(
                number=movement * MOVEMENT_SEGMENTS + position,
                theme="ABCDEFGHI"[n_themes] if source is None else plans[source].theme,
                returns=None if source is None else plans[source].number,
                key=key,
                time_signature=signature,
                cadence=position == MOVEMENT_SEGMENTS - 1 or bool(rng.integers(2)),
            )
        )
    return tuple(plans)


def _walk(home: Key, rng: np.random.Generator) -> list[Key]:
    """The key of each segment: home at both ends, never more than a fifth away."""
    keys, distance = [home], 0
    for _ in range(MOVEMENT_SEGMENTS - 3):
        distance = int(np.clip(distance + rng.integers(-1, 2), -_MAX_DISTANCE, _MAX_DISTANCE))
        keys.append(transposed_key(home, _FIFTH * distance))
    return [*keys, home, home]


def _returns(rng: np.random.Generator) -> list[int | None]:
    """For each position the earlier one whose theme returns, None for a new theme."""
    sources: list[int | None] = []
    for position in range(MOVEMENT_SEGMENTS):
        first, last = max(0, position - _MAX_RETURN), position - _MIN_RETURN
        new = [at for at in range(first, last + 1) if sources[at] is None]
        is_return = rng.random() < _RETURN_PROBABILITY
        drawn = int(rng.integers(max(1, len(new))))
        sources.append(new[drawn] if new and is_return else None)
    sources[-1] = 0
    return sources

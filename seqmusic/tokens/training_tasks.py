"""Tasks drawn for training: where a piece is moved to, which of its voices take part, and what of it is given.

One model learns to compose, continue, harmonize, accompany and fill in, because each time a piece is drawn a task is drawn with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import SATB, transposed_key
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.batched.columns import IntColumn, NoteColumns
from seqmusic.tokens.batched.encoding import InfillingMask
from seqmusic.tokens.vocabulary import KEY, STYLE, TIMESIG, VOICE, id_to_key, key_to_id

_KINDS = ("subset", "voices", "head", "region", "scatter")
_WEIGHTS = (0.15, 0.5, 0.1, 0.1, 0.15)
_LONGEST_REGION = 0.5  # of the piece
_HIDDEN_STYLES = 0.2  # of the pieces that have one


def legal_shifts_by_piece(notes: NoteColumns) -> list[list[int]]:
    """Per piece, the semitones in -6..6 by which every voice stays in its compass; 0 is always one."""
    low, high = shift_bounds(notes)
    shifts = np.arange(-6, 7)
    allowed = (shifts[None] >= low[:, None]) & (shifts[None] <= high[:, None]) | (shifts == 0)
    return [shifts[row].tolist() for row in allowed]


def shift_bounds(notes: NoteColumns) -> tuple[IntColumn, IntColumn]:
    """(P,) lowest and highest shift of each piece, -6..6 where its compass leaves them."""
    compass = np.full((STYLE - VOICE, 2), (0, 127))
    compass[: len(SATB)] = [COMPASS[name] for name in SATB]
    sounding = notes.pitch >= 0
    own = compass[notes.voice[sounding] - VOICE]
    low, high = np.full(len(notes.headers), -6), np.full(len(notes.headers), 6)
    np.maximum.at(low, notes.piece[sounding], own[:, 0] - notes.pitch[sounding])
    np.minimum.at(high, notes.piece[sounding], own[:, 1] - notes.pitch[sounding])
    return low, high


def transpose_pieces(notes: NoteColumns, shifts: Sequence[int]) -> NoteColumns:
    """The pieces transposed, each by its own number of semitones."""
    by_piece = np.asarray(shifts, dtype=np.int64)
    pitch = np.where(notes.pitch >= 0, notes.pitch + by_piece[notes.piece], notes.pitch)
    headers = tuple(
        tuple(
            (_transposed_key(sound, shift), duration) if KEY <= sound < VOICE else (sound, duration)
            for sound, duration in own
        )
        for own, shift in zip(notes.headers, shifts, strict=True)
    )
    return replace(notes, pitch=pitch, headers=headers)


def _transposed_key(sound: int, shift: int) -> int:
    key = id_to_key(sound)
    return key_to_id(key and transposed_key(key, shift))


def draw_task(
    notes: NoteColumns, rng: np.random.Generator, given_share: float
) -> tuple[NoteColumns, InfillingMask]:
    """The pieces with a task for each: with probability `given_share` something is given or some voices are left out."""
    n_pieces = len(notes.headers)
    missing, keep = np.ones(len(notes.piece), bool), np.ones(len(notes.piece), bool)
    has_given, is_open = np.zeros(n_pieces, bool), rng.random(n_pieces) < 0.4
    bounds = np.searchsorted(notes.piece, np.arange(n_pieces + 1))
    for number in np.flatnonzero(rng.random(n_pieces) < given_share):
        rows = np.arange(bounds[number], bounds[number + 1])
        kind = str(rng.choice(_KINDS, p=_WEIGHTS))
        if kind == "subset":
            keep[rows] = _random_voices(notes.voice[rows], rng)
            rows, kind = rows[keep[rows]], str(rng.choice(["head", "nothing"]))
        if kind != "nothing":
            own = _missing_mask(
                kind, notes.voice[rows], notes.onset[rows], int(notes.end_ticks[number]), rng
            )
            has_given[number] = not own.all() and own.any()
            missing[rows] = own | (not has_given[number])
    return _hide_styles(_drop_notes(notes, keep), rng), InfillingMask(
        missing[keep], has_given, is_open
    )


def _hide_styles(notes: NoteColumns, rng: np.random.Generator) -> NoteColumns:
    """The pieces, some of them without their style, so that a model can also compose where none is asked for."""
    if not any(STYLE <= sound < TIMESIG for own in notes.headers for sound, _ in own):
        return notes
    hides = rng.random(len(notes.headers)) < _HIDDEN_STYLES
    headers = tuple(
        tuple(event for event in own if not (hide and STYLE <= event[0] < TIMESIG))
        for own, hide in zip(notes.headers, hides.tolist(), strict=True)
    )
    return replace(notes, headers=headers)


def _random_voices(voice: IntColumn, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Tiles of a random part of the voices: one alone as often as several."""
    voices = np.unique(voice)
    n_kept = 1 if rng.random() < 0.5 or len(voices) < 3 else int(rng.integers(2, len(voices)))
    weights = np.where(voices == voices[0], 2.0, 1.0)  # a melody is a soprano more often than not
    kept = rng.choice(voices, n_kept, replace=False, p=weights / weights.sum())
    return np.isin(voice, kept)


def _missing_mask(
    kind: str, voice: IntColumn, onset: IntColumn, end: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which tiles of a piece of `end` ticks are to be composed."""
    voices = np.unique(voice)
    if kind == "voices":
        n_given = 1 if len(voices) < 3 or rng.random() < 0.65 else int(rng.integers(2, len(voices)))
        weights = np.where(
            voices == voices[0], 4.0, 1.0
        )  # a melody is harmonized more often than a bass
        return ~np.isin(
            voice, rng.choice(voices, n_given, replace=False, p=weights / weights.sum())
        )
    if kind == "head":
        cut = rng.uniform(0.02, 0.5) * end
        led = voices[:1] if rng.random() < 0.6 else voices
        return (onset >= cut) | ~np.isin(voice, led)
    if kind == "region":
        length = rng.uniform(0.05, _LONGEST_REGION) * end
        start = rng.uniform(0, end - length)
        within = rng.choice(voices, int(rng.integers(1, len(voices) + 1)), replace=False)
        return (onset >= start) & (onset < start + length) & np.isin(voice, within)
    return rng.random(len(voice)) < rng.uniform(0.1, 0.9)


def _drop_notes(notes: NoteColumns, keep: NDArray[np.bool_]) -> NoteColumns:
    """The pieces without the tiles, and so the voices, that are not kept."""
    if keep.all():
        return notes
    present = set(zip(notes.piece[keep].tolist(), notes.voice[keep].tolist(), strict=True))
    headers = tuple(
        tuple(
            event for event in own if not VOICE <= event[0] < STYLE or (number, event[0]) in present
        )
        for number, own in enumerate(notes.headers)
    )
    columns = {
        name: getattr(notes, name)[keep] for name in ("piece", "voice", "onset", "end", "pitch")
    }
    return replace(notes, headers=headers, **columns)

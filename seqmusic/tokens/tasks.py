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
from seqmusic.tokens.batched.columns import Column, Tiles
from seqmusic.tokens.batched.encoding import Ask
from seqmusic.tokens.vocabulary import KEY, STYLE, TIMESIG, VOICE, id_key, key_id

_KINDS = ("subset", "voices", "head", "region", "scatter")
_WEIGHTS = (0.15, 0.5, 0.1, 0.1, 0.15)
_LONGEST_REGION = 0.5  # of the piece
_HIDDEN_STYLES = 0.2  # of the pieces that have one


def legal_shifts(tiles: Tiles) -> list[list[int]]:
    """Per piece, the semitones in -6..6 by which every voice stays in its compass; 0 is always one."""
    low, high = shift_bounds(tiles)
    shifts = np.arange(-6, 7)
    allowed = (shifts[None] >= low[:, None]) & (shifts[None] <= high[:, None]) | (shifts == 0)
    return [shifts[row].tolist() for row in allowed]


def shift_bounds(tiles: Tiles) -> tuple[Column, Column]:
    """(P,) lowest and highest shift of each piece, -6..6 where its compass leaves them."""
    compass = np.full((STYLE - VOICE, 2), (0, 127))
    compass[: len(SATB)] = [COMPASS[name] for name in SATB]
    sounding = tiles.pitch >= 0
    own = compass[tiles.voice[sounding] - VOICE]
    low, high = np.full(len(tiles.headers), -6), np.full(len(tiles.headers), 6)
    np.maximum.at(low, tiles.piece[sounding], own[:, 0] - tiles.pitch[sounding])
    np.minimum.at(high, tiles.piece[sounding], own[:, 1] - tiles.pitch[sounding])
    return low, high


def moved(tiles: Tiles, shifts: Sequence[int]) -> Tiles:
    """The pieces transposed, each by its own number of semitones."""
    by_piece = np.asarray(shifts, dtype=np.int64)
    pitch = np.where(tiles.pitch >= 0, tiles.pitch + by_piece[tiles.piece], tiles.pitch)
    headers = tuple(
        tuple(
            (_moved_key(sound, shift), duration) if KEY <= sound < VOICE else (sound, duration)
            for sound, duration in own
        )
        for own, shift in zip(tiles.headers, shifts, strict=True)
    )
    return replace(tiles, pitch=pitch, headers=headers)


def _moved_key(sound: int, shift: int) -> int:
    key = id_key(sound)
    return key_id(key and transposed_key(key, shift))


def drawn_task(tiles: Tiles, chance: np.random.Generator, given_share: float) -> tuple[Tiles, Ask]:
    """The pieces with a task for each: with probability `given_share` something is given or some voices are left out."""
    n_pieces = len(tiles.headers)
    missing, keep = np.ones(len(tiles.piece), bool), np.ones(len(tiles.piece), bool)
    has_given, is_open = np.zeros(n_pieces, bool), chance.random(n_pieces) < 0.4
    bounds = np.searchsorted(tiles.piece, np.arange(n_pieces + 1))
    for number in np.flatnonzero(chance.random(n_pieces) < given_share):
        rows = np.arange(bounds[number], bounds[number + 1])
        kind = str(chance.choice(_KINDS, p=_WEIGHTS))
        if kind == "subset":
            keep[rows] = _some_voices(tiles.voice[rows], chance)
            rows, kind = rows[keep[rows]], str(chance.choice(["head", "nothing"]))
        if kind != "nothing":
            own = _missing(
                kind, tiles.voice[rows], tiles.onset[rows], int(tiles.end_ticks[number]), chance
            )
            has_given[number] = not own.all() and own.any()
            missing[rows] = own | (not has_given[number])
    return _style_hidden(_without(tiles, keep), chance), Ask(missing[keep], has_given, is_open)


def _style_hidden(tiles: Tiles, chance: np.random.Generator) -> Tiles:
    """The pieces, some of them without their style, so that a model can also compose where none is asked for."""
    if not any(STYLE <= sound < TIMESIG for own in tiles.headers for sound, _ in own):
        return tiles
    hides = chance.random(len(tiles.headers)) < _HIDDEN_STYLES
    headers = tuple(
        tuple(event for event in own if not (hide and STYLE <= event[0] < TIMESIG))
        for own, hide in zip(tiles.headers, hides.tolist(), strict=True)
    )
    return replace(tiles, headers=headers)


def _some_voices(voice: Column, chance: np.random.Generator) -> NDArray[np.bool_]:
    """Tiles of a random part of the voices: one alone as often as several."""
    voices = np.unique(voice)
    n_kept = 1 if chance.random() < 0.5 or len(voices) < 3 else int(chance.integers(2, len(voices)))
    weights = np.where(voices == voices[0], 2.0, 1.0)  # a melody is a soprano more often than not
    kept = chance.choice(voices, n_kept, replace=False, p=weights / weights.sum())
    return np.isin(voice, kept)


def _missing(
    kind: str, voice: Column, onset: Column, end: int, chance: np.random.Generator
) -> NDArray[np.bool_]:
    """Which tiles of a piece of `end` ticks are to be composed."""
    voices = np.unique(voice)
    if kind == "voices":
        n_given = (
            1 if len(voices) < 3 or chance.random() < 0.65 else int(chance.integers(2, len(voices)))
        )
        weights = np.where(
            voices == voices[0], 4.0, 1.0
        )  # a melody is harmonized more often than a bass
        return ~np.isin(
            voice, chance.choice(voices, n_given, replace=False, p=weights / weights.sum())
        )
    if kind == "head":
        cut = chance.uniform(0.02, 0.5) * end
        led = voices[:1] if chance.random() < 0.6 else voices
        return (onset >= cut) | ~np.isin(voice, led)
    if kind == "region":
        length = chance.uniform(0.05, _LONGEST_REGION) * end
        start = chance.uniform(0, end - length)
        within = chance.choice(voices, int(chance.integers(1, len(voices) + 1)), replace=False)
        return (onset >= start) & (onset < start + length) & np.isin(voice, within)
    return chance.random(len(voice)) < chance.uniform(0.1, 0.9)


def _without(tiles: Tiles, keep: NDArray[np.bool_]) -> Tiles:
    """The pieces without the tiles, and so the voices, that are not kept."""
    if keep.all():
        return tiles
    present = set(zip(tiles.piece[keep].tolist(), tiles.voice[keep].tolist(), strict=True))
    headers = tuple(
        tuple(
            event for event in own if not VOICE <= event[0] < STYLE or (number, event[0]) in present
        )
        for number, own in enumerate(tiles.headers)
    )
    columns = {
        name: getattr(tiles, name)[keep] for name in ("piece", "voice", "onset", "end", "pitch")
    }
    return replace(tiles, headers=headers, **columns)

"""Training tasks: which voices of a piece take part, and what of it is given.

A task is drawn anew each time a piece is, so that one model learns to compose, continue, harmonize,
accompany and fill in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens.batched.columns import NoteColumns
from seqmusic.tokens.batched.encoding import InfillingMask
from seqmusic.tokens.vocabulary import is_style, is_voice

_TASKS = {"subset": 0.15, "voices": 0.5, "head": 0.1, "region": 0.1, "scatter": 0.15}
_OPEN_SHARE = 0.4  # of the pieces
_LONGEST_REGION = 0.5  # of the piece
_HIDDEN_STYLES = 0.2  # of the pieces that have one
_GIVEN_FERMATAS = 0.5  # of the pieces: with the given notes; otherwise they are to be composed


def draw_task(
    notes: NoteColumns, rng: np.random.Generator, given_share: float
) -> tuple[NoteColumns, InfillingMask]:
    """The pieces with a task for each.

    Args:
        notes: the pieces.
        rng: draws the tasks.
        given_share: the probability that something is given, or some voices left out.

    Returns:
        The pieces without the voices that were left out, and what is given of them.
    """
    n_pieces = len(notes.headers)
    missing, keep = np.ones(len(notes.piece), bool), np.ones(len(notes.piece), bool)
    has_given, is_open = np.zeros(n_pieces, bool), rng.random(n_pieces) < _OPEN_SHARE
    bounds = np.searchsorted(notes.piece, np.arange(n_pieces + 1))
    for piece in np.flatnonzero(rng.random(n_pieces) < given_share):
        rows = np.arange(bounds[piece], bounds[piece + 1])
        task = str(rng.choice(list(_TASKS), p=list(_TASKS.values())))
        if task == "subset":
            keep[rows] = _voice_subset(notes.voice[rows], rng)
            rows, task = rows[keep[rows]], str(rng.choice(["head", "nothing"]))
        if task != "nothing":
            end = int(notes.end_ticks[piece])
            to_compose = _missing_mask(task, notes.voice[rows], notes.onset[rows], end, rng)
            has_given[piece] = not to_compose.all() and to_compose.any()
            missing[rows] = to_compose | (not has_given[piece])
    kept = _hide_styles(_drop_notes(notes, keep), rng)
    gives_fermatas = rng.random(n_pieces) < _GIVEN_FERMATAS
    return kept, InfillingMask(missing[keep], has_given, is_open, gives_fermatas)


def _hide_styles(notes: NoteColumns, rng: np.random.Generator) -> NoteColumns:
    """The pieces, some without their style, because a model also composes where none is given."""
    if not any(is_style(sound) for header in notes.headers for sound, _ in header):
        return notes
    hides = rng.random(len(notes.headers)) < _HIDDEN_STYLES
    headers = tuple(
        tuple(event for event in header if not (hide and is_style(event[0])))
        for header, hide in zip(notes.headers, hides.tolist(), strict=True)
    )
    return replace(notes, headers=headers)


def _voice_subset(voice: Ints, rng: np.random.Generator) -> Mask:
    """(N,) the notes of a random subset of the voices; half of the subsets are a single voice."""
    voices = np.unique(voice)
    n_kept = 1 if rng.random() < 0.5 or len(voices) < 3 else int(rng.integers(2, len(voices)))
    # A melody is a soprano more often than not.
    return np.isin(voice, _draw_voices(voices, n_kept, 2.0, rng))


def _draw_voices(
    voices: Ints, n_drawn: int, highest_weight: float, rng: np.random.Generator
) -> Ints:
    """Some of the voices; the highest is drawn with a weight, relative to the others."""
    weights = np.where(voices == voices[0], highest_weight, 1.0)
    drawn: Ints = rng.choice(voices, n_drawn, replace=False, p=weights / weights.sum())
    return drawn


def _missing_mask(
    task: str, voice: Ints, onset: Ints, end_ticks: int, rng: np.random.Generator
) -> Mask:
    """(N,) which notes and rests of one piece are to be composed."""
    voices = np.unique(voice)
    if task == "voices":
        n_given = 1 if len(voices) < 3 or rng.random() < 0.65 else int(rng.integers(2, len(voices)))
        # A melody is harmonized more often than a bass.
        return ~np.isin(voice, _draw_voices(voices, n_given, 4.0, rng))
    if task == "head":
        cut = rng.uniform(0.02, 0.5) * end_ticks
        given_voices = voices[:1] if rng.random() < 0.6 else voices
        return (onset >= cut) | ~np.isin(voice, given_voices)
    if task == "region":
        length = rng.uniform(0.05, _LONGEST_REGION) * end_ticks
        start = rng.uniform(0, end_ticks - length)
        within = rng.choice(voices, int(rng.integers(1, len(voices) + 1)), replace=False)
        return (onset >= start) & (onset < start + length) & np.isin(voice, within)
    return rng.random(len(voice)) < rng.uniform(0.1, 0.9)


def _drop_notes(notes: NoteColumns, keep: Mask) -> NoteColumns:
    """The pieces without the notes, and so without the voices, that are not kept."""
    if keep.all():
        return notes
    present = set(zip(notes.piece[keep].tolist(), notes.voice[keep].tolist(), strict=True))
    headers = tuple(
        tuple(event for event in header if not is_voice(event[0]) or (piece, event[0]) in present)
        for piece, header in enumerate(notes.headers)
    )
    columns = {
        name: getattr(notes, name)[keep] for name in ("piece", "voice", "onset", "end", "pitch")
    }
    return replace(notes, headers=headers, **columns)

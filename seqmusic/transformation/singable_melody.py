"""A melody made singable: compass, the values of a chorale, phrases with fermatas."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from seqmusic.errors import RequestError
from seqmusic.meter import TICKS_PER_QUARTER, TimeSignature
from seqmusic.score import Note, Score, melody
from seqmusic.transformation.melody_finding import MIN_NOTES, find_melody
from seqmusic.transformation.planning import key_with_mode

COMPASS = (60, 77)
GRID_TICKS = TICKS_PER_QUARTER // 2
MAX_NOTES = 120
_USUAL_NOTES = 56
_SHORTEST_END_TICKS = TICKS_PER_QUARTER


def singable_melody(source: Score, n_notes: int | None = None) -> tuple[Score, list[str]]:
    """The melody of a piece as a soprano to harmonize, and sentences that say what was done.

    Values are halved or doubled until the usual one is a quarter, and moved to eighths; what is
    shorter goes. Rests are filled. Each phrase ends with a fermata.

    Args:
        source: any piece with a melody.
        n_notes: of the melody; None for whole phrases up to about 56.

    Raises:
        RequestError: there is no melody, or it has fewer notes.
    """
    found = find_melody(source)
    notes, ends = _first_notes(found.notes, found.phrase_ends, n_notes)
    scale = _scale(notes)
    bar_ticks = _bar_ticks(source, scale)
    notes, n_dropped = _on_grid(notes, ends, scale)
    notes = _legato(notes, bar_ticks)
    shift, n_folded, notes = _in_compass(notes)
    key = key_with_mode(source)
    signature = TimeSignature(3 if bar_ticks % 72 == 0 else 4, 4)
    pickup = int(source.pickup_ticks * scale) // GRID_TICKS * GRID_TICKS
    score = melody(
        notes,
        time_signatures=((0, signature),),
        pickup_ticks=pickup if 0 < pickup < signature.bar_ticks else 0,
        key=key,
        title=f"Chorale on {source.title}" if source.title else "Chorale",
    )
    moved = score.transposed(shift)
    sentences = [found.reason, *_sentences(scale, n_dropped, shift, n_folded, moved)]
    return moved, sentences


def _first_notes(
    notes: Sequence[Note], ends: Sequence[int], n_notes: int | None
) -> tuple[list[Note], set[int]]:
    """The notes that are taken, and the indices of those that end a phrase."""
    if n_notes is None:
        n_notes = min(ends, key=lambda end: abs(end + 1 - _USUAL_NOTES)) + 1
        n_notes = min(n_notes, MAX_NOTES)
    if not MIN_NOTES <= n_notes <= min(len(notes), MAX_NOTES):
        raise RequestError(
            f"--notes must be in {MIN_NOTES}..{min(len(notes), MAX_NOTES)} with this melody, "
            f"got {n_notes}"
        )
    return list(notes[:n_notes]), {end for end in ends if end < n_notes} | {n_notes - 1}


def _scale(notes: Sequence[Note]) -> float:
    """The power of two that makes the usual distance of two notes a quarter."""
    distances = [b.onset_ticks - a.onset_ticks for a, b in itertools.pairwise(notes)]
    power: float = round(math.log2(TICKS_PER_QUARTER / statistics.median(distances)))
    return float(2**power)


def _bar_ticks(source: Score, scale: float) -> int:
    ticks = source.time_signatures[0][1].bar_ticks if source.time_signatures else 96
    return max(TICKS_PER_QUARTER, round(ticks * scale))


def _on_grid(notes: Sequence[Note], ends: set[int], scale: float) -> tuple[list[Note], int]:
    """The notes on the grid, with fermatas at the ends of phrases, and how many are left out."""
    origin = notes[0].onset_ticks
    onsets = [
        round((note.onset_ticks - origin) * scale / GRID_TICKS) * GRID_TICKS for note in notes
    ]
    kept: list[Note] = []
    n_dropped = 0
    for index, (note, onset) in enumerate(zip(notes, onsets, strict=True)):
        ticks = max(GRID_TICKS, round(note.duration_ticks * scale / GRID_TICKS) * GRID_TICKS)
        fermata = index in ends
        if kept and kept[-1].onset_ticks == onset:
            n_dropped += 1
            kept[-1] = replace(kept[-1], fermata=kept[-1].fermata or fermata)
        else:
            kept.append(Note(onset, ticks, note.pitch, fermata))
    return kept, n_dropped


def _legato(notes: Sequence[Note], bar_ticks: int) -> list[Note]:
    """The notes without rests between them; a long wait after a phrase is shortened by bars."""
    now, line = 0, []
    for note, after in zip(notes, [*notes[1:], None], strict=True):
        ticks = note.duration_ticks if after is None else after.onset_ticks - note.onset_ticks
        while ticks - bar_ticks >= max(_SHORTEST_END_TICKS, note.duration_ticks):
            ticks -= bar_ticks
        if note.fermata:
            ticks = max(_SHORTEST_END_TICKS, ticks)
        if after is None:
            ticks = max(ticks, 2 * TICKS_PER_QUARTER)
        line.append(replace(note, onset_ticks=now, duration_ticks=ticks))
        now += ticks
    return line


def _in_compass(notes: Sequence[Note]) -> tuple[int, int, list[Note]]:
    """Semitones to move the melody by, how many notes change their octave for it, the notes."""
    low, high = COMPASS

    def misfit(shift: int) -> tuple[int, bool, int]:
        outside = sum(not low <= note.pitch + shift <= high for note in notes)
        return outside, shift % 12 != 0, abs(shift)

    shift = min(range(-48, 49), key=misfit)
    folded = []
    for note in notes:
        pitch = note.pitch
        while pitch + shift > high:
            pitch -= 12
        while pitch + shift < low:
            pitch += 12
        folded.append(replace(note, pitch=pitch))
    n_folded = sum(a.pitch != b.pitch for a, b in zip(notes, folded, strict=True))
    return shift, n_folded, folded


def _sentences(scale: float, n_dropped: int, shift: int, n_folded: int, score: Score) -> list[str]:
    notes = score.voices[0].notes
    n_phrases = sum(note.fermata for note in notes)
    values = {1.0: "kept"}.get(scale, f"multiplied by {scale:g}")
    sentences = [f"Its values are {values}, so that the usual one is a quarter."]
    if n_dropped:
        sentences.append(f"{n_dropped} notes shorter than an eighth are left out.")
    move = "stays where it is" if shift == 0 else f"is moved by {shift:+d} semitones"
    sentences.append(f"It {move}, for a compass that everyone can sing.")
    if n_folded:
        sentences.append(f"{n_folded} notes change their octave, as the melody is too wide.")
    sentences.append(f"It has {len(notes)} notes in {n_phrases} phrases, each with a fermata.")
    return sentences

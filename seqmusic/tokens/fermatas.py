"""The ticks of the fermatas of a score, as tokens can express them: one for each chord."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from seqmusic.score import Score, Voice


def fermata_ticks(score: Score) -> list[int]:
    """The onsets under a fermata, in order; none while a note from the last one still sounds.

    So the fermata of an inner voice that moves once more under a held one is not counted again.

    >>> from seqmusic.score import Note
    >>> soprano = Voice("Soprano", (Note(0, 48, 72, fermata=True),))
    >>> alto = Voice("Alto", (Note(0, 24, 65), Note(24, 24, 64, fermata=True)))
    >>> fermata_ticks(Score((soprano, alto)))
    [0]
    """
    notes = [note for voice in score.voices for note in voice.notes]
    kept: list[int] = []
    sounds_until = 0
    for tick in sorted({note.onset_ticks for note in notes if note.fermata}):
        if tick >= sounds_until:
            kept.append(tick)
            sounds_until = max(note.end_ticks for note in notes if note.onset_ticks == tick)
    return kept


def without_fermatas(score: Score) -> Score:
    """The score without any fermata."""
    return replace(score, voices=tuple(with_fermatas(voice, ()) for voice in score.voices))


def with_fermatas(voice: Voice, ticks: Collection[int]) -> Voice:
    """The voice with a fermata over each note that starts at one of the ticks, and no others."""
    notes = tuple(replace(note, fermata=note.onset_ticks in ticks) for note in voice.notes)
    return Voice(voice.name, notes)

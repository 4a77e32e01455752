"""A MIDI file of a score, made by miditoolkit.

A voice is a track. What MIDI has no event for stands in markers at the start (see `marker`).
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import miditoolkit

from seqmusic.errors import FormatError
from seqmusic.formats.midi.chunks import MAX_MIDI_BYTES, MAX_MIDI_TICKS
from seqmusic.formats.midi.metadata import MAX_BPM, MIN_BPM, metadata_markers
from seqmusic.formats.midi.notes import MAX_MIDI_NOTES
from seqmusic.formats.midi.repair import MAX_PARTS
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Key, Score, TimeSignature, Voice
from seqmusic.tonality import key_name

Meter = tuple[tuple[int, TimeSignature], ...]
DEFAULT_METER: Meter = ((0, TimeSignature(4, 4)),)
_FILE_TICKS = 480  # a quarter note in the files written here
_SCALE = _FILE_TICKS // TICKS_PER_QUARTER
_PROGRAMS = (
    52,
    53,
    54,
    91,
)  # the choirs of General MIDI: four, for readers that take equal programs for one voice
_VELOCITY = 80
_MAX_NAME_CHARACTERS = 1000  # characters of a track name; the whole stands in the markers


def midi_bytes(score: Score) -> bytes:
    """A MIDI file (format 1, 480 ticks to a quarter) of `score`; reading it back gives an equal score.

    A pickup is written as a first bar of its own length under a time signature of its own, such as 1/4 before 4/4.

    Raises:
        FormatError: MIDI cannot say the tempo, or the score is too long.
    """
    if score.end_ticks > MAX_MIDI_TICKS:
        raise FormatError(
            f"a MIDI file is written up to {MAX_MIDI_TICKS:,} ticks, and the score has {score.end_ticks:,}"
        )
    n_voices, n_notes = len(score.voices), score.n_notes
    if n_voices > MAX_PARTS or n_notes > MAX_MIDI_NOTES:
        at_most = f"{MAX_PARTS} voices and {MAX_MIDI_NOTES:,} notes"
        raise FormatError(
            f"a MIDI file is written with at most {at_most}, and the score has {n_voices} and {n_notes:,}"
        )
    midi = miditoolkit.MidiFile(ticks_per_beat=_FILE_TICKS)
    midi.time_signature_changes = [
        miditoolkit.TimeSignature(signature.numerator, signature.denominator, tick * _SCALE)
        for tick, signature in meter_events(score.time_signatures, score.pickup_ticks)
    ]
    if score.key:
        midi.key_signature_changes = [miditoolkit.KeySignature(key_signature_name(score.key), 0)]
    if score.tempo_bpm is not None:
        if not MIN_BPM <= score.tempo_bpm <= MAX_BPM:
            raise FormatError(
                f"a MIDI tempo is {MIN_BPM} to {MAX_BPM:,.0f} quarter notes a minute, got {score.tempo_bpm}"
            )
        midi.tempo_changes = [miditoolkit.TempoChange(score.tempo_bpm, 0)]
    midi.markers = [miditoolkit.Marker(text, 0) for text in metadata_markers(score)]
    midi.instruments = [_instrument(voice, index) for index, voice in enumerate(score.voices)]
    buffer = io.BytesIO()
    midi.dump(file=buffer)
    if buffer.tell() > MAX_MIDI_BYTES:
        raise FormatError(
            f"a MIDI file is written up to {MAX_MIDI_BYTES >> 20} MiB, and the score would take {buffer.tell() >> 20}"
        )
    return buffer.getvalue()


def _instrument(voice: Voice, index: int) -> Any:
    notes = [
        miditoolkit.Note(_VELOCITY, n.pitch, n.onset_ticks * _SCALE, n.end_ticks * _SCALE)
        for n in voice.notes
    ]
    return miditoolkit.Instrument(
        _PROGRAMS[index % len(_PROGRAMS)], False, utf8_as_latin1(voice.name), notes
    )


def utf8_as_latin1(text: str) -> str:
    """Text whose Latin-1 bytes, which is what miditoolkit writes, are the UTF-8 bytes of `text`."""
    return text[:_MAX_NAME_CHARACTERS].encode("utf-8", "replace").decode("latin-1")


def meter_events(signatures: Meter, pickup_ticks: int) -> Meter:
    """Time signatures as events, the pickup as a bar of its own where some time signature is as long as it."""
    first = _signature_lasting(pickup_ticks, signatures[0][1].denominator) if pickup_ticks else None
    if not first:
        return signatures or DEFAULT_METER
    return tuple(
        (
            {0: first, pickup_ticks: signatures[0][1]}
            | {tick: signature for tick, signature in signatures if tick}
        ).items()
    )


def _signature_lasting(ticks: int, denominator: int) -> TimeSignature | None:
    for finer in (denominator, 4, 8, 16, 32):
        numerator, rest = divmod(ticks * finer, TICKS_PER_WHOLE)
        if finer >= denominator and not rest and numerator <= 64:
            return TimeSignature(numerator, finer)
    return None


def key_signature_name(key: Key) -> str:
    """The key as miditoolkit names it: Bb, or Bbm for minor; a key without mode as a major one."""
    tonic, mode = key_name(replace(key, mode=key.mode or "major")).split()
    return tonic + "m" * (mode == "minor")

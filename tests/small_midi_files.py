"""MIDI files of a few notes, written byte by byte or by mido, and what is read from them."""

import io
import struct

import mido

from seqmusic.formats.midi.reading import read_midi_bytes

END = b"\0\xff\x2f\0"
A_NOTE = b"\0\x90\x3c\x40\x60\x80\x3c\x40"  # C4, a quarter note of 96 units
TWO = ((0, 24, 60), (24, 24, 62))
TWO_NOTES = A_NOTE + b"\0\x90\x3e\x40\x60\x80\x3e\x40"


def chunk(content, name=b"MTrk", length=None):
    return name + struct.pack(">L", len(content) if length is None else length) + content


def header(n_tracks=1, division=96, kind=1, length=6):
    return b"MThd" + struct.pack(">LHHh", length, kind, n_tracks, division)


def meta(kind, *content):
    return bytes([0, 0xFF, kind, len(content), *content])


def one_track(events):
    return header() + chunk(events)


VALID_FILE = one_track(TWO_NOTES + END)


def notes_of(report):
    return [
        tuple((n.onset_ticks, n.duration_ticks, n.pitch) for n in voice.notes)
        for voice in report.score.voices
    ]


def check_repairs(data, notes, repairs):
    report = read_midi_bytes(data, "theme.mid")
    assert notes_of(report) == notes
    assert report.repairs == repairs
    assert report.losses == ()
    assert report.status == ("repaired" if repairs else "read")


def midi_file(*tracks, division=480, kind=1):
    """A MIDI file of lists of mido messages, whose times count from the start of the file."""
    midi = mido.MidiFile(type=kind, ticks_per_beat=division)
    for messages in tracks:
        track, now = mido.MidiTrack(), 0
        for message in sorted(messages, key=lambda message: message.time):
            track.append(message.copy(time=message.time - now))
            now = message.time
        midi.tracks.append(track)
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def note_messages(*notes, name="", channel=0):
    """Messages of (start, end, pitch) notes; note-offs come before note-ons of the same time."""
    offs = [
        mido.Message("note_off", time=end, note=pitch, channel=channel) for _, end, pitch in notes
    ]
    ons = [
        mido.Message("note_on", time=start, note=pitch, velocity=64, channel=channel)
        for start, _, pitch in notes
    ]
    return (
        [mido.MetaMessage("track_name", name=name, time=0), *offs, *ons] if name else [*offs, *ons]
    )


def meter_message(numerator, denominator, time=0):
    return mido.MetaMessage(
        "time_signature", numerator=numerator, denominator=denominator, time=time
    )

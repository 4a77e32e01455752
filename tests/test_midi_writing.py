"""A score comes back exactly from its MIDI file, in which other programs find the same notes."""

import itertools

import miditoolkit
import mido
import music21
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats import read_score
from seqmusic.formats.midi.chunks import MAX_MIDI_TICKS
from seqmusic.formats.midi.file import write_midi
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.formats.notation.file import chorale_paths, read_chorale
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody

SIGNATURES = [
    TimeSignature(n, d)
    for n, d in ((4, 4), (3, 4), (2, 2), (6, 8), (5, 8), (7, 16), (1, 32), (64, 1))
]


def round_trip(score, folder):
    return read_score(write_midi(score, folder / "trip.mid"))


@st.composite
def lines(draw):
    notes, now = [], 0
    for gap, duration, pitch, fermata in draw(
        st.lists(
            st.tuples(st.integers(0, 9), st.integers(1, 200), st.integers(0, 127), st.booleans()),
            max_size=12,
        )
    ):
        onset = now + (gap if gap > 5 else 0)  # often none, so that pitches repeat at once
        notes.append(Note(onset, duration, pitch, fermata))
        now = notes[-1].end_ticks
    return tuple(notes)


@st.composite
def meters(draw):
    signatures = draw(st.lists(st.sampled_from(SIGNATURES), max_size=4))
    if not signatures:
        return (), 0
    pickup = draw(st.integers(0, signatures[0].bar_ticks - 1) | st.just(0))
    steps = draw(st.lists(st.integers(1, 300), min_size=len(signatures), max_size=len(signatures)))
    ticks = [
        0,
        *(pickup + tick - steps[0] * draw(st.booleans()) for tick in itertools.accumulate(steps)),
    ]
    rising = [0, *(max(tick, pickup, i) for i, tick in enumerate(sorted(set(ticks[1:])), start=1))]
    pairs = dict(zip(rising, signatures, strict=False))
    return tuple(sorted(pairs.items(), key=lambda pair: pair[0])), pickup


@st.composite
def scores(draw):
    names = st.text(max_size=8) | st.sampled_from(["Soprano", "", "Ténor", "第二"])
    voices = draw(st.lists(st.builds(Voice, names, lines()), min_size=1, max_size=16))
    if draw(st.booleans()):
        voices.append(Voice("Unison", voices[0].notes))
    signatures, pickup = draw(meters())
    key = draw(
        st.none() | st.builds(Key, st.integers(-7, 7), st.sampled_from(["major", "minor", ""]))
    )
    tempo = draw(st.none() | st.floats(4, 1000))
    return Score(
        tuple(voices[:16]),
        signatures,
        pickup,
        key,
        tempo,
        draw(st.text(max_size=9)),
        draw(st.text(max_size=9)),
    )


@settings(deadline=None)
@given(scores())
def test_a_score_survives_its_midi_file_exactly(tmp_path_factory, score):
    back = round_trip(score, tmp_path_factory.getbasetemp())
    assert back == score
    assert (back.title, back.source) == (score.title, score.source)


CHORALES = [14, 26, 41, 65, 103, 153, 184, 226, 273, 321]


@pytest.mark.parametrize("index", CHORALES)
def test_a_chorale_survives_its_midi_file_exactly(index, tmp_path):
    score = read_chorale(chorale_paths()[index])
    assert round_trip(score, tmp_path) == score


@pytest.mark.slow
def test_every_chorale_survives_its_midi_file_exactly(tmp_path):
    n_read = 0
    for path in chorale_paths():
        try:
            score = read_chorale(path)
        except FormatError:
            continue
        n_read += 1
        assert round_trip(score, tmp_path) == score, path
    assert n_read > 300


def test_another_program_finds_the_notes_the_meter_and_the_voices(tmp_path):
    voices = (
        Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 67), Note(72, 8, 127))),
        Voice("Bass", (Note(12, 60, 0),)),
    )
    score = Score(voices, ((0, TimeSignature(4, 4)),), 24, Key(-3, "minor"), 92.5)
    midi = mido.MidiFile(write_midi(score, tmp_path / "new" / "theme.mid"))
    assert (midi.type, midi.ticks_per_beat, len(midi.tracks)) == (1, 480, 3)
    first, *tracks = [list(_absolute(track)) for track in midi.tracks]
    assert [(t, m.numerator, m.denominator) for t, m in first if m.type == "time_signature"] == [
        (0, 1, 4),
        (480, 4, 4),
    ]
    assert [(t, m.key) for t, m in first if m.type == "key_signature"] == [(0, "Cm")]
    assert [(t, m.tempo) for t, m in first if m.type == "set_tempo"] == [
        (0, 648649)
    ]  # 60,000,000 / 92.5
    assert [[m.name for _, m in track if m.type == "track_name"] for track in tracks] == [
        ["Soprano"],
        ["Bass"],
    ]
    assert len({m.program for track in tracks for _, m in track if m.type == "program_change"}) == 2
    assert [{m.channel for _, m in track if m.type == "note_on"} for track in tracks] == [{0}, {1}]
    sounds = [(t, m.type, m.note) for t, m in tracks[0] if m.type in ("note_on", "note_off")]
    spans = [(0, 480, 67), (480, 960, 67), (1440, 1600, 127)]
    assert sounds == [
        event
        for start, end, pitch in spans
        for event in ((start, "note_on", pitch), (end, "note_off", pitch))
    ]
    assert [(t, m.type, m.note) for t, m in tracks[1] if "note" in m.type] == [
        (240, "note_on", 0),
        (1440, "note_off", 0),
    ]


def notes_by_miditoolkit(path):
    tracks = [
        sorted(track.notes, key=lambda note: note.start)
        for track in miditoolkit.MidiFile(str(path)).instruments
    ]
    return [[(note.start / 480, note.end / 480, note.pitch) for note in notes] for notes in tracks]


def notes_by_mido(path):
    lines = []
    for track in mido.MidiFile(path).tracks[1:]:
        starts, notes = {}, []
        for now, message in _absolute(track):
            if message.type == "note_on":
                starts[message.note] = now
            elif message.type == "note_off":
                notes.append((starts.pop(message.note) / 480, now / 480, message.note))
        lines.append(sorted(notes))
    return lines


def notes_by_music21(path):
    read = music21.converter.parse(path, forceSource=True, quantizePost=False)
    parts = [
        sorted(part.stripTies().flatten().notes, key=lambda note: note.offset)
        for part in read.parts
    ]
    return [
        [(float(n.offset), float(n.offset + n.quarterLength), n.pitch.midi) for n in part]
        for part in parts
    ]


@pytest.mark.parametrize("read", [notes_by_miditoolkit, notes_by_mido, notes_by_music21])
@pytest.mark.parametrize("index", CHORALES[::3])
def test_other_readers_find_the_same_notes(index, read, tmp_path):
    score = read_chorale(chorale_paths()[index])
    lines = [
        [(note.onset_ticks / 24, note.end_ticks / 24, note.pitch) for note in voice.notes]
        for voice in score.voices
    ]
    assert read(write_midi(score, tmp_path / "chorale.mid")) == lines


def _absolute(track):
    now = 0
    for message in track:
        now += message.time
        yield now, message


@pytest.mark.parametrize("tempo", [0.0, -5.0, 3.0, 1e9, float("nan"), float("inf"), 1e-320])
def test_a_tempo_that_midi_cannot_hold_is_refused(tempo):
    with pytest.raises(FormatError, match=r"a MIDI tempo is 3\.6 to 60,000,000"):
        midi_bytes(melody([Note(0, 24, 60)], tempo_bpm=tempo))


def test_a_score_too_long_to_read_back_is_not_written(tmp_path):
    with pytest.raises(FormatError, match="up to 2,000,000 ticks"):
        write_midi(melody([Note(MAX_MIDI_TICKS, 1, 60)]), tmp_path / "long.mid")
    with pytest.raises(FormatError, match="up to 4 MiB"):
        write_midi(melody([Note(0, 1, 60)], source="x" * (5 << 20)), tmp_path / "long.mid")
    assert not list(tmp_path.iterdir())


def test_more_notes_or_voices_than_are_read_back_are_not_written():
    with pytest.raises(
        FormatError, match="at most 128 voices and 60,000 notes, and the score has 129 and 0"
    ):
        midi_bytes(Score(tuple(Voice(str(i), ()) for i in range(129))))
    with pytest.raises(FormatError, match="the score has 1 and 60,001"):
        midi_bytes(melody(Note(i, 1, 60) for i in range(60_001)))

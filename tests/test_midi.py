"""MIDI: a score survives its own file exactly; other files are read as they are meant or refused with a reason."""

import io
import itertools
import json

import miditoolkit
import mido
import music21
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats.midi.file import (
    MAX_MIDI_TICKS,
    midi_bytes,
    read_midi,
    read_midi_with_report,
    write_midi,
)
from seqmusic.formats.notation.file import chorale_paths, read_chorale
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody

SIGNATURES = [
    TimeSignature(n, d)
    for n, d in ((4, 4), (3, 4), (2, 2), (6, 8), (5, 8), (7, 16), (1, 32), (64, 1))
]


def read_bytes(data, folder, name="theme.mid"):
    path = folder / name
    path.write_bytes(data)
    return read_midi(path)


def round_trip(score, folder):
    return read_midi(write_midi(score, folder / "trip.mid"))


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
    """Messages of (start, end, pitch) notes; note-offs stand before note-ons of the same time."""
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


def meter(numerator, denominator, time=0):
    return mido.MetaMessage(
        "time_signature", numerator=numerator, denominator=denominator, time=time
    )


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
def test_a_score_survives_its_own_file_exactly(tmp_path_factory, score):
    back = round_trip(score, tmp_path_factory.getbasetemp())
    assert back == score
    assert (back.title, back.source) == (score.title, score.source)


CHORALES = [14, 26, 41, 65, 103, 153, 184, 226, 273, 321]


@pytest.mark.parametrize("place", CHORALES)
def test_a_chorale_survives_its_own_file_exactly(place, tmp_path):
    score = read_chorale(chorale_paths()[place])
    assert round_trip(score, tmp_path) == score


@pytest.mark.slow
def test_every_chorale_survives_its_own_file_exactly(tmp_path):
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
    assert sounds == [(0, "note_on", 67), (480, "note_off", 67), (480, "note_on", 67), (960, "note_off", 67),
                      (1440, "note_on", 127), (1600, "note_off", 127)]  # fmt: skip
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
@pytest.mark.parametrize("place", CHORALES[::3])
def test_other_readers_find_the_same_notes(place, read, tmp_path):
    score = read_chorale(chorale_paths()[place])
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


def test_long_sources_and_any_text_survive(tmp_path):
    source = json.dumps(
        {"prompt": "dó ré \x00 \u2028 𝄞 \ud800", "long": "x" * 1_200_000}, ensure_ascii=False
    )
    score = melody([Note(0, 24, 60)], title='"\\ %}', source=source)
    back = round_trip(score, tmp_path)
    assert (back.title, back.source) == (score.title, source)


def test_a_changed_file_is_read_as_it_was_changed(tmp_path):
    score = Score(
        (Voice("Soprano", (Note(0, 24, 67, True), Note(24, 96, 60))),),
        pickup_ticks=24,
        key=Key(1),
        tempo_bpm=92.5,
    )
    midi = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    for message in itertools.chain(*midi.tracks):
        if message.type == "set_tempo":
            message.tempo = 500_000
        if message.type == "key_signature":
            message.key = "Dm"
        if message.type == "time_signature" and message.numerator == 4:
            message.numerator = 3
        if message.type == "track_name":
            message.name = "Violin"
    midi.save(tmp_path / "changed.mid")
    back = read_midi(tmp_path / "changed.mid")
    assert (back.tempo_bpm, back.key, back.pickup_ticks) == (120.0, Key(-1, "minor"), 24)
    assert back.time_signatures == ((0, TimeSignature(3, 4)),)
    assert back.voices[0] == Voice("Violin", score.voices[0].notes)


def test_a_file_from_elsewhere(tmp_path):
    timing = [meter(1, 4), meter(4, 4, 96), meter(4, 4, 96 + 4 * 96), meter(3, 4, 96 + 8 * 96)]
    timing += [
        mido.MetaMessage("set_tempo", tempo=600_000),
        mido.MetaMessage("key_signature", key="F#m"),
    ]
    low, high = (
        note_messages((0, 96, 48), (96, 192, 50), channel=3),
        note_messages((0, 32, 72), (32, 64, 74), (64, 96, 76), (96, 480, 77), channel=4),
    )
    drums = note_messages((0, 96, 35), (0, 96, 38), channel=9)
    score = read_bytes(midi_file(timing, drums, low, high, division=96), tmp_path)
    assert score == Score(
        (
            Voice("Soprano", (Note(0, 8, 72), Note(8, 8, 74), Note(16, 8, 76), Note(24, 96, 77))),
            Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50))),
        ),
        ((0, TimeSignature(4, 4)), (24 + 192, TimeSignature(3, 4))),
        24,
        Key(3, "minor"),
        100.0,
    )


def test_tracks_called_soprano_to_bass_stand_in_that_order(tmp_path):
    data = midi_file(
        note_messages((0, 480, 50), name="BASS"),
        note_messages((0, 480, 40), name="soprano "),
        note_messages((0, 480, 70), name="Tenor"),
    )
    assert [voice.name for voice in read_bytes(data, tmp_path).voices] == [
        "soprano ",
        "Tenor",
        "BASS",
    ]


def test_the_meter_of_a_file_without_time_signature_is_four_four_and_its_tempo_unknown(tmp_path):
    score = read_bytes(midi_file(note_messages((0, 480, 60)), kind=0), tmp_path)
    assert (score.time_signatures, score.tempo_bpm, score.key) == (
        ((0, TimeSignature(4, 4)),),
        None,
        None,
    )


def test_a_track_of_several_channels_is_several_voices(tmp_path):
    data = midi_file(
        [*note_messages((0, 480, 60), channel=0), *note_messages((0, 480, 67), channel=1)], kind=0
    )
    assert [voice.notes[0].pitch for voice in read_bytes(data, tmp_path).voices] == [67, 60]


@pytest.mark.parametrize("name", ["Ténor", "第二"])
def test_names_of_tracks_are_utf8_or_else_latin1(name, tmp_path):
    track = note_messages((0, 480, 60))
    utf8 = midi_file(
        [mido.MetaMessage("track_name", name=name.encode().decode("latin-1"), time=0), *track]
    )
    assert read_bytes(utf8, tmp_path).voices[0].name == name
    assert (
        read_bytes(midi_file(note_messages((0, 480, 60), name="Ténor")), tmp_path).voices[0].name
        == "Ténor"
    )


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none.mid: cannot be read: No such file"):
        read_midi(tmp_path / "none.mid")
    with pytest.raises(FormatError, match="cannot be read: Is a directory"):
        read_midi(tmp_path)


@pytest.mark.parametrize("tempo", [0.0, -5.0, 3.0, 1e9, float("nan"), float("inf"), 1e-320])
def test_a_tempo_that_midi_cannot_say_is_refused(tempo):
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


def test_damaged_remarks_are_left_out_and_told(tmp_path):
    texts = ["[" * 100_000, '{"title": 1e999}', '"x"', "null", '{"key": [9, "dorian"]}', "[1, 2"]
    good = {
        "title": "A",
        "source": "",
        "pickup_ticks": 0,
        "time_signatures": [],
        "key": None,
        "tempo_bpm": None,
    }
    good |= {"voices": [], "fermatas": []}
    wrong = {
        "tempo_bpm": 1e-320,
        "voices": [1],
        "fermatas": [[0]],
        "key": [8, "major"],
        "pickup_ticks": 24,
    }
    texts += [
        json.dumps({**good, said: value})
        for said, value in (*wrong.items(), ("tempo_bpm", "fast"), ("tempo_bpm", float("nan")))
    ]
    for text in [json.dumps(good), *texts]:
        marker = mido.MetaMessage("marker", text="seqmusic: " + text, time=0)
        (tmp_path / "theme.mid").write_bytes(midi_file([marker], note_messages((0, 480, 60))))
        reading = read_midi_with_report(tmp_path / "theme.mid")
        assert reading.score.voices == (Voice("Soprano", (Note(0, 24, 60),)),)
        damaged = ("damaged markers of this package ('seqmusic: ...') left out",)
        assert (reading.score.title, reading.repairs) == (
            ("A", ()) if text == json.dumps(good) else ("", damaged)
        ), text[:80]


def test_a_repeated_time_signature_counts_only_where_it_cuts_a_bar(tmp_path):
    # 480 units to a quarter: bar lines every 1920; the change at 4800 stands in the middle of bar 3
    data = midi_file(
        [meter(4, 4), meter(4, 4, 1920), meter(4, 4, 4800), meter(4, 4, 6720)],
        note_messages((0, 9600, 60)),
    )
    four = TimeSignature(4, 4)
    assert read_bytes(data, tmp_path).time_signatures == ((0, four), (240, four))

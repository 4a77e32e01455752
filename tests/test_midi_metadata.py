"""What MIDI has no event for is kept in markers, as far as the events still agree with them."""

import io
import itertools
import json

import mido
from small_midi_files import midi_file, note_messages

from seqmusic.formats import read_score, read_with_report, write_score
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody


def test_long_sources_and_any_text_survive(tmp_path):
    source = json.dumps(
        {"prompt": "dó ré \x00 \u2028 𝄞 \ud800", "long": "x" * 1_200_000}, ensure_ascii=False
    )
    score = melody([Note(0, 24, 60)], title='"\\ %}', source=source)
    back = read_score(write_score(score, tmp_path / "trip.mid"))
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
    back = read_score(tmp_path / "changed.mid")
    assert (back.tempo_bpm, back.key, back.pickup_ticks) == (120.0, Key(-1, "minor"), 24)
    assert back.time_signatures == ((0, TimeSignature(3, 4)),)
    assert back.voices[0] == Voice("Violin", score.voices[0].notes)


def test_damaged_markers_are_reported_as_left_out(tmp_path):
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
        json.dumps({**good, field: value})
        for field, value in (*wrong.items(), ("tempo_bpm", "fast"), ("tempo_bpm", float("nan")))
    ]
    for text in [json.dumps(good), *texts]:
        marker = mido.MetaMessage("marker", text="seqmusic: " + text, time=0)
        (tmp_path / "theme.mid").write_bytes(midi_file([marker], note_messages((0, 480, 60))))
        report = read_with_report(tmp_path / "theme.mid")
        assert report.score.voices == (Voice("Soprano", (Note(0, 24, 60),)),)
        damaged = ("damaged markers of this package ('seqmusic: ...') left out",)
        assert (report.score.title, report.repairs) == (
            ("A", ()) if text == json.dumps(good) else ("", damaged)
        ), text[:80]

"""The benchmark's JSON: every cell is kept, and each wrong shape is refused with its position."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import pitch_table as table
from seqmusic.formats.pitch_table import read_jsb
from seqmusic.pitch_grid import count_cells, pitch_grid
from seqmusic.score import Note

PIECE = [[60, 55, 48, -1], [60, 55, 50, -1], [62, 55, 50, 36]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chorales.json"


def write(path: Path, **splits: Any) -> Path:
    path.write_text(
        json.dumps({"train": [PIECE], "valid": [PIECE], "test": [PIECE]} | splits), encoding="utf-8"
    )
    return path


def test_equal_neighbors_are_one_note_and_a_rest_is_a_gap(path: Path) -> None:
    score = read_jsb(write(path, valid=[PIECE, PIECE]))["valid"][1]
    assert [voice.name for voice in score.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [voice.notes for voice in score.voices] == [
        (Note(0, 12, 60), Note(12, 6, 62)),
        (Note(0, 18, 55),),
        (Note(0, 6, 48), Note(6, 12, 50)),
        (Note(12, 6, 36),),
    ]
    assert (score.time_signatures, score.key, score.title) == ((), None, "valid 1")


_STEPS = st.lists(
    st.lists(st.sampled_from([-1, 0, 60, 61]), min_size=4, max_size=4), min_size=1, max_size=13
)


@given(_STEPS.filter(lambda steps: any(pitch >= 0 for pitch in steps[-1])))
def test_every_cell_is_kept(steps: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        score = read_jsb(write(Path(folder) / "x.json", test=[steps]))["test"][0]
    assert count_cells(score) == 4 * len(steps)
    assert pitch_grid(score).T.tolist() == steps
    for voice in score.voices:
        assert all(
            a.end_ticks < b.onset_ticks or a.pitch != b.pitch
            for a, b in itertools.pairwise(voice.notes)
        )


def test_a_piece_that_ends_in_silence_is_refused(path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"split 'test', piece 0: ends in silence.* after step 2$"
    ):
        read_jsb(write(path, test=[[*PIECE, [-1] * 4, [-1] * 4]]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"train": {}}, "split 'train' must be a list of pieces, got dict"),
        ({"train": []}, "split 'train' must be a list of pieces, got 0 values"),
        ({"valid": [PIECE, []]}, "split 'valid', piece 1: must be a list of steps, got 0 values"),
        ({"valid": [PIECE, "C4"]}, "split 'valid', piece 1: must be a list of steps, got 'C4'"),
        (
            {"test": [[[60, 55, 48]]]},
            "split 'test', piece 0, step 0: must be 4 pitches, got 3 values",
        ),
        ({"test": [[*PIECE, 60]]}, "split 'test', piece 0, step 3: must be 4 pitches, got 60"),
        (
            {"test": [[[60, 128, 48, 36]]]},
            r"piece 0, step 0: alto must be a MIDI number in 0..127 or -1, got 128",
        ),
        ({"test": [[[60, 55, 48, -2]]]}, "bass must be a MIDI number .* got -2"),
        ({"test": [[[60, 55, 48.0, 36]]]}, r"tenor must be .* got 48\.0"),
        ({"test": [[[True, 55, 48, 36]]]}, "soprano must be .* got True"),
        ({"test": [[[float("nan"), 55, 48, 36]]]}, "soprano must be .* got nan"),
        (
            {"other": [PIECE]},
            "must be an object with the keys train, valid, test, got the keys .*'other'",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_its_position(
    path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorruptFileError, match=message):
        read_jsb(write(path, **wrong))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"MThd\x00\x00", "is not JSON"),
        (b"\xff\xfe\xfa", "is not JSON"),
        (b'{"train": [[[60,', "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b"[1, 2]", "must be an object with the keys train, valid, test, got list"),
        (b'{"train": [], "train": [], "valid": [], "test": []}', "the key 'train' is there twice"),
        (b'{"train": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
)
def test_other_files_are_refused(path: Path, data: bytes, message: str) -> None:
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match=message):
        read_jsb(path)


def test_a_missing_or_too_large_file_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        read_jsb(path)
    with pytest.raises(FormatError, match="cannot be read: Is a directory"):
        read_jsb(path.parent)
    monkeypatch.setattr(table, "MAX_JSON_BYTES", 100)
    with pytest.raises(FormatError, match=r"is longer than 0\.0001 MB; split it"):
        read_jsb(write(path))

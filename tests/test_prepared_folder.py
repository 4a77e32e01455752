"""A prepared folder: it depends neither on order, processes and interruptions nor on bad files."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqmusic import cli
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.folders import collecting
from seqmusic.corpus.folders.collecting import CorpusSource, find_files
from seqmusic.corpus.folders.file_records import piece_record
from seqmusic.corpus.folders.long_scores import split_long_score
from seqmusic.corpus.folders.prepared_folder import load_prepared, prepare_source, shard_paths
from seqmusic.corpus.folders.shards import Shard
from seqmusic.corpus.folders.source import find_source, folder_source, read_pieces_or_errors
from seqmusic.corpus.folders.summary import folder_summary
from seqmusic.corpus.loading import load_corpus
from seqmusic.corpus.selection.cleaning import GENERAL_RULES, reason_kind
from seqmusic.errors import CorpusError, FormatError
from seqmusic.formats import write_score
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Note, Score, TimeSignature, Voice, melody


def tune(seed: int, n: int = 40) -> Score:
    """Two voices of random quarters over a random bass."""
    draw = random.Random(seed)
    lines = [[center + draw.randint(-5, 5) for _ in range(n)] for center in (72, 60)]
    notes = [tuple(Note(24 * k, 24, pitch) for k, pitch in enumerate(line)) for line in lines]
    return Score((Voice("Voice 1", notes[0]), Voice("Voice 2", notes[1])))


def write_small_folder(folder: Path) -> Path:
    """Twelve tunes in two subfolders, one of them again in another key, and a file that is no MIDI.

    One file is repaired when it is read.
    """
    for number in range(12):
        write_score(tune(number), folder / ("old" if number % 3 else "new") / f"{number}.mid")
    write_score(tune(4).transposed(3), folder / "old" / "again.musicxml")
    (folder / "new" / "bad.mid").write_bytes(b"nothing of the kind")
    whole = (folder / "old" / "1.mid").read_bytes()
    (folder / "old" / "1.mid").write_bytes(whole[:-4])  # the last track has no end
    (folder / "new" / "notes.txt").write_text("not read")
    return folder


def prepare(folder: Path, out: Path, **settings: object) -> Dataset:
    arguments: dict[str, Any] = {"n_processes": 1, **settings}
    prepare_source(folder_source(folder), out, **arguments)
    return load_prepared(out)


def file_contents(out: Path) -> dict[str, bytes]:
    """Everything that a prepared folder holds but the times of its files."""
    skipped = ("prepared.json", "read")
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in found.items() if name.split("/")[0] not in skipped
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_folder(tmp_path_factory.mktemp("scores"))


@pytest.fixture(scope="module")
def out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "mine"
    prepare(folder, out, n_processes=2)
    return out


def test_every_file_and_every_work_is_reported(out: Path) -> None:
    with (out / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert len(rows) == 14
    assert rows["new/bad.mid"]["outcome"] == "refused"
    assert rows["new/bad.mid"]["words"].count("\n") == 0
    assert rows["old/1.mid"]["outcome"] == "repaired"
    figures = [rows["new/0.mid"][column] for column in ("outcome", "voices", "notes", "bars")]
    assert figures == ["read", "2", "80", "10"]
    dataset = load_corpus(out)
    assert len(dataset.works) == 13
    assert dataset.work("old/again").reason == "duplicate of old/4 transposed by +3"
    assert {work.style for work in dataset.kept_works} == {"old", "new"}
    assert dataset.work("new/3").score.voices[0].notes == tune(3).voices[0].notes
    text = folder_summary(out)
    assert "14 files: 12 read, 1 repaired, 1 refused" in text
    assert "give a MIDI file" not in text  # remedies are not counted
    assert "12 of 13 works kept" in text
    assert "styles: new 4, old 8" in text


def test_the_order_of_files_and_the_number_of_processes_change_nothing(
    folder: Path, out: Path, tmp_path: Path
) -> None:
    source = folder_source(folder)
    backwards = replace(source, files=dict(reversed(source.files.items())))
    prepare_source(backwards, tmp_path / "backwards", n_processes=1)
    assert file_contents(tmp_path / "backwards") == file_contents(out)


def test_a_second_start_reads_only_files_that_are_new_or_changed(
    folder: Path, tmp_path: Path
) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    write_small_folder(mine)
    source = replace(folder_source(mine), read=refuse_all)
    assert prepare_source(folder_source(mine), out, n_processes=1)
    assert not prepare_source(source, out)  # else all files would be refused
    write_score(tune(99), mine / "new" / "0.mid")
    os.utime(mine / "new" / "0.mid", ns=(1, 1))
    write_score(tune(98), mine / "new" / "more.mid")
    (mine / "old" / "2.mid").unlink()
    assert prepare_source(folder_source(mine), out, n_processes=1)
    fresh = prepare(mine, tmp_path / "fresh")
    assert file_contents(out) == file_contents(tmp_path / "fresh")
    assert {work.name for work in fresh.works} >= {"new/0", "new/more"}
    assert "old/2" not in {work.name for work in fresh.works}


def refuse_all(path: Path) -> Sequence[ReadReport | FormatError]:
    raise FormatError("read again")


def faulty_reader(path: Path) -> Sequence[ReadReport | FormatError]:
    """A reader that dies on one file, hangs on another, and raises an error on a third."""
    if path.name == "3.mid":
        os.kill(os.getpid(), signal.SIGKILL)
    if path.name == "5.mid":
        time.sleep(600)
    if path.name == "7.mid":
        raise ZeroDivisionError("a fault")
    return read_pieces_or_errors(path)


def test_a_file_that_kills_or_hangs_its_process_is_refused_and_the_others_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "read_timeout", lambda path: 3)
    source = replace(folder_source(folder), read=faulty_reader)
    prepare_source(source, tmp_path / "out", n_processes=2)
    with (tmp_path / "out" / "report.csv").open(encoding="utf-8", newline="") as file:
        refused = {
            row["file"]: row["words"] for row in csv.DictReader(file) if row["outcome"] == "refused"
        }
    assert refused.pop("new/bad.mid")
    assert refused == {
        "new/3.mid": "ended its process (signal SIGKILL)",
        "old/5.mid": "took longer than 3 s",
        "old/7.mid": "the reader failed: ZeroDivisionError: a fault",
    }


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_preparation_that_was_stopped_goes_on_to_the_same_end(
    ending: signal.Signals, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    for number in range(40):
        write_score(tune(number), mine / f"{number}.mid")
    arguments = ["data", "prepare", str(mine), "--out", str(tmp_path / "out"), "--processes", "1"]
    command = [sys.executable, "-m", "seqmusic", *arguments]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while len(shard_paths(tmp_path / "out")) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    started.send_signal(ending)
    _, errors = started.communicate(timeout=60)
    assert started.returncode in (130, -signal.SIGKILL)
    if ending == signal.SIGINT:
        assert "the same command goes on from there" in errors
    done = {
        file["name"]: shard
        for path in shard_paths(tmp_path / "out")
        for shard in [Shard(path)]
        for file in shard.file_metadata()
    }
    assert 5 <= len(done) < 40
    with pytest.raises(
        CorpusError, match="was not finished; give the same seqmusic data prepare command again"
    ):
        load_prepared(tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in shard_paths(tmp_path / "out")}
    prepare(mine, tmp_path / "out")
    untouched = sum(path.stat().st_mtime_ns == time_ns for path, time_ns in before.items())
    assert untouched >= len(before) - 3  # all but the shards that were incomplete
    prepare(mine, tmp_path / "whole")
    assert file_contents(tmp_path / "out") == file_contents(tmp_path / "whole")


def test_a_damaged_shard_is_read_again(folder: Path, out: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out"
    prepare(folder, mine)
    shard = shard_paths(mine)[0]
    shard.write_bytes(shard.read_bytes()[:-50])
    with pytest.raises(CorpusError, match=r"damaged .* delete it, and prepare again"):
        load_prepared(mine)
    state = json.loads((mine / "prepared.json").read_text())
    (mine / "prepared.json").write_text(json.dumps(state | {"files": ""}))
    assert prepare(folder, mine) == load_prepared(out)


def test_folders_that_hold_something_else_are_not_overwritten(
    folder: Path, out: Path, tmp_path: Path
) -> None:
    source = folder_source(folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    with pytest.raises(FormatError, match="full: exists and is not empty"):
        prepare_source(source, tmp_path / "full")
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match="file: is a file, and the data needs a folder"):
        prepare_source(source, tmp_path / "file")
    with pytest.raises(
        CorpusError,
        match=r"mine: holds data prepared otherwise \(source .*\); choose another folder",
    ):
        prepare_source(replace(source, title="other"), out)
    with pytest.raises(CorpusError, match="holds no file that can be read"):
        prepare_source(replace(source, files={}), tmp_path / "new")
    with pytest.raises(FormatError, match="cannot be written: Not a directory"):
        prepare_source(source, tmp_path / "file" / "below")
    with pytest.raises(
        CorpusError, match="no such folder, and no such collection; did you mean palestrina"
    ):
        find_source("palestrin")


def test_prepared_folders_are_not_searched_for_scores(folder: Path, tmp_path: Path) -> None:
    mine = write_small_folder(tmp_path / "mine")
    prepare(mine, mine / "data")
    (mine / "data" / "lost.mid").write_bytes((mine / "old" / "2.mid").read_bytes())
    assert "data/lost.mid" not in dict(find_files(mine, (".mid",), "prepared.json"))


def test_more_subfolders_than_styles_are_no_styles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(17):
        write_score(tune(number), tmp_path / "many" / f"{number}" / "a.mid")
    source = find_source(str(tmp_path / "many"))
    assert source.styles == {}
    assert (
        cli.main(["data", "prepare", str(tmp_path / "many"), "--out", str(tmp_path / "out")]) == 0
    )
    assert (
        "its 17 subfolders are not taken as styles, of which there may be 16"
        in capsys.readouterr().out
    )


def test_general_rules_keep_works_that_are_no_chorales() -> None:
    def reason(score: Score) -> str:
        return str(piece_record(score, GENERAL_RULES).metadata["reason"])

    assert reason(tune(1)) == ""
    assert reason_kind(reason(melody([Note(0, 24, 60)]))) == "too short"
    odd = replace(tune(1), time_signatures=((0, TimeSignature(3, 32)),))
    assert reason_kind(reason(odd)) == "without tokens"
    later = replace(tune(1), time_signatures=((0, TimeSignature(4, 4)), (96, TimeSignature(23, 8))))
    assert reason_kind(reason(later)) == "without tokens"
    crowd = Score(tuple(Voice(f"{i}", tune(i).voices[0].notes) for i in range(17)))
    assert reason(crowd) == "not 1 to 16 voices (17)"


def test_general_rules_leave_empty_voices_out() -> None:
    with_rest = replace(tune(1), voices=(*tune(1).voices, Voice("Voice 3", ())))
    assert piece_record(with_rest, GENERAL_RULES).metadata["voices"] == ["Voice 1", "Voice 2"]


@pytest.mark.parametrize("most", [7, 20, 100, 1000])
def test_passages_hold_every_note_once_and_begin_at_bar_lines(most: int) -> None:
    long = replace(
        tune(5, 200), time_signatures=((0, TimeSignature(3, 4)), (72 * 9, TimeSignature(4, 4)))
    )
    parts = list(split_long_score(long, most))
    assert all(part.n_notes <= max(most, 8) for part in parts)  # a bar of 4/4 holds eight
    assert [note.pitch for part in parts for note in part.voices[1].notes] == [
        note.pitch for note in long.voices[1].notes
    ]
    assert sum(part.end_ticks for part in parts) == long.end_ticks
    assert all(part.pickup_ticks == 0 for part in parts)
    assert (len(parts) == 1) == (most >= 400)


def test_a_source_made_in_python_is_prepared_like_any_other(tmp_path: Path) -> None:
    paths = {f"{n}": write_score(tune(n), tmp_path / f"{n}.mid") for n in range(3)}
    source = CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, {"0": "x", "1": "y"})
    assert prepare_source(source, tmp_path / "out")
    assert [work.style for work in load_prepared(tmp_path / "out").works] == ["x", "y", ""]


def test_the_commands_read_a_prepared_folder(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "describe", "--data", str(out)]) == 0
    assert "12 works kept of 13" in capsys.readouterr().out
    assert cli.main(["data", "clean", "--data", str(out)]) == 0
    assert "duplicate of old/4 transposed by +3" in capsys.readouterr().out
    assert cli.main(["data", "tokens", "new/3", "--data", str(out)]) == 0
    assert "PITCH_" in capsys.readouterr().out
    assert cli.main(["data", "tokens", "new/33", "--data", str(out)]) == 2
    assert "holds no work 'new/33'" in capsys.readouterr().err
    assert cli.main(["data", "collections"]) == 0
    assert "palestrina" in capsys.readouterr().out


def test_records_in_shards_have_all_their_digests(out: Path) -> None:
    for path in shard_paths(out):
        for file in Shard(path).records():
            for piece in file.pieces:
                assert len(np.unique(piece.sketch.tune)) == len(piece.sketch.tune) > 0
                assert (np.diff(piece.sketch.shingles.digests.astype(object)) > 0).all()

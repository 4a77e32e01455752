"""Prepared data that stay apart from held-out works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.folders.prepared_folder import prepare_source
from seqmusic.corpus.folders.source import folder_source
from seqmusic.corpus.selection.halving import in_shorter_values
from seqmusic.corpus.similarity.relations import held_out_music
from seqmusic.corpus.works_table import read_works
from seqmusic.formats import write_score
from seqmusic.score import Note, Score, TimeSignature, Voice, melody


def random_voices(seed: int, n_notes: int, n_voices: int = 4) -> Score:
    rng = np.random.default_rng(seed)
    lines = [
        melody([Note(24 * k, 24, 72 - 8 * v + int(rng.integers(12))) for k in range(n_notes)])
        for v in range(n_voices)
    ]
    voices = (replace(line.voices[0], name=f"Voice {v}") for v, line in enumerate(lines, 1))
    return replace(lines[0], voices=tuple(voices))


def setting_of(tune: Voice, seed: int) -> Score:
    """Other voices around a tune, which is the third one from above, an octave lower."""
    others = random_voices(seed, 30)
    (lower,) = Score((replace(tune, name="Voice 3"),)).transposed(-12).voices
    return replace(others, voices=(*others.voices[:2], lower, others.voices[3]))


def test_held_out_chorales_are_found_among_hymns_in_any_key_and_voice(
    chorales: Dataset, tmp_path: Path
) -> None:
    held_out = [*chorales.works_in("valid"), *chorales.works_in("test")]
    hymns = tmp_path / "hymns"
    hymns.mkdir()
    for number in range(6):
        write_score(random_voices(number, 40), hymns / f"other{number}.mid")
    write_score(held_out[0].score.transposed(5), hymns / "transposed.mid")
    write_score(setting_of(held_out[3].score.voices[0], 99), hymns / "tenor.mid")
    prepare_source(folder_source(hymns), tmp_path / "out", n_processes=1, apart_from=held_out)
    entries = read_works(tmp_path / "out" / "works.csv")
    kept = {name for name, entry in entries.items() if entry.split}
    assert kept == {f"other{number}" for number in range(6)}
    assert "shares the tune of" in entries["transposed"].reason
    assert "shares the tune of" in entries["tenor"].reason


def test_chords_alone_also_relate_two_works() -> None:
    score = random_voices(1, 40)
    exchanged = replace(score, voices=score.voices[::-1]).transposed(2)
    without_tune = replace(exchanged, voices=(random_voices(2, 40).voices[0], *exchanged.voices))
    held_out = held_out_music([Work("one", replace(score, voices=score.voices[:1]))])
    assert held_out.relation(without_tune) == "shares the tune of one"
    held_out.tunes.clear()
    assert held_out.relation(without_tune) == ""
    whole = held_out_music([Work("one", score)])
    whole.tunes.clear()
    assert whole.relation(exchanged) == "shares chords of one"


def test_only_music_in_whole_notes_is_written_in_half_its_values() -> None:
    score = melody([Note(0, 192, 60), Note(192, 96, 62)])
    breves = replace(score, time_signatures=((0, TimeSignature(2, 1)), (192, TimeSignature(3, 2))))
    halved = in_shorter_values(breves)
    assert [(n.onset_ticks, n.duration_ticks) for n in halved.voices[0].notes] == [
        (0, 96),
        (96, 48),
    ]
    assert [(tick, str(s)) for tick, s in halved.time_signatures] == [(0, "2/2"), (96, "3/4")]
    assert in_shorter_values(score) is score
    odd = replace(breves, voices=melody([Note(0, 191, 60)]).voices)
    assert in_shorter_values(odd) is odd
    short = replace(breves, time_signatures=((0, TimeSignature(2, 1)), (192, TimeSignature(3, 16))))
    assert in_shorter_values(short) is short


def test_wrong_arguments_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_score(random_voices(1, 40), tmp_path / "one.mid")
    prepare = ["data", "prepare", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*prepare, "--max-voices", "17"]) == 2
    assert "max_voices must be in 1..16, got 17" in capsys.readouterr().err
    assert main([*prepare, "--apart-from", str(tmp_path / "nothing")]) == 2
    assert "no prepared data set" in capsys.readouterr().err

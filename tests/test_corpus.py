"""The data set: on disk, in the cache, read in parallel, described and drawn."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.corpus.cache import cache_folder, load_or_prepare
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset, Work, natural_sort_key
from seqmusic.corpus.description import cleaning_report, describe
from seqmusic.corpus.file_names import unique_file_names
from seqmusic.corpus.folders.parallel_reading import read_files
from seqmusic.corpus.selection.preparation import prepare
from seqmusic.corpus.selection.split import Shares
from seqmusic.corpus.storage import (
    arrays_to_dataset,
    dataset_to_arrays,
    read_dataset,
    write_dataset,
)
from seqmusic.errors import CorpusError, FormatError, MissingExtraError
from seqmusic.formats import read_score
from seqmusic.formats.midi.file import write_midi
from seqmusic.report.corpus_plot import plot_dataset
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody

BASS = Score((Voice("Bass", (Note(6, 24, 40),)), Voice("", ())), (), tempo_bpm=97.25)
SMALL = Dataset((
    Work("a", melody([Note(0, 24, 60), Note(24, 12, 64)], title="Tune"), "train", 0),
    Work("b", BASS, "test", 1),
    Work("c", Score(()), reason="unreadable (so)"),
))  # fmt: skip


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Anything that a score can hold."""
    voices = []
    for name in draw(st.lists(st.text(max_size=5), max_size=5)):
        notes, now = [], 0
        for gap, duration, pitch, fermata in draw(
            st.lists(
                st.tuples(
                    st.integers(0, 99), st.integers(1, 400), st.integers(0, 127), st.booleans()
                ),
                max_size=7,
            )
        ):
            notes.append(Note(now + gap, duration, pitch, fermata))
            now = notes[-1].end_ticks
        voices.append(Voice(name, tuple(notes)))
    meters = draw(
        st.lists(
            st.builds(TimeSignature, st.integers(1, 64), st.sampled_from([1, 2, 4, 8, 16, 32])),
            max_size=3,
        )
    )
    pickup = draw(st.integers(0, meters[0].bar_ticks - 1)) if meters else 0
    return Score(
        tuple(voices),
        tuple((1000 * i * 4, meter) for i, meter in enumerate(meters))
        if pickup < 4000
        else ((0, meters[0]),),
        pickup,
        draw(
            st.none() | st.builds(Key, st.integers(-7, 7), st.sampled_from(["major", "minor", ""]))
        ),
        draw(st.none() | st.floats(1, 1000)),
        draw(st.text(max_size=9)),
        draw(st.text(max_size=9)),
    )


@given(st.lists(scores(), max_size=5))
def test_arrays_give_every_score_back(drawn: list[Score]) -> None:
    dataset = Dataset(tuple(Work(f"{i}", score, "valid", i) for i, score in enumerate(drawn)))
    back = arrays_to_dataset(dataset_to_arrays(dataset))
    assert back == dataset
    assert [(w.score.title, w.score.source) for w in back.works] == [
        (s.title, s.source) for s in drawn
    ]


def test_arrays_give_every_chorale_back(chorales: Dataset) -> None:
    assert arrays_to_dataset(dataset_to_arrays(chorales)) == chorales


def test_any_damage_is_reported_in_one_line(tmp_path: Path) -> None:
    whole = write_dataset(SMALL, tmp_path / "whole.npz").read_bytes()
    damaged = tmp_path / "damaged.npz"
    start = whole.index(b"notes.npy") + 40  # inside the packed notes
    flipped = (
        whole[:n] + bytes([whole[n] ^ 255]) + whole[n + 1 :] for n in range(start, start + 30)
    )
    for data in (
        b"",
        b"PK",
        b"nothing of the kind",
        *(whole[:n] for n in range(10, len(whole), 37)),
        *flipped,
    ):
        damaged.write_bytes(data)
        with pytest.raises(
            CorpusError, match=r"damaged.npz: not a readable data set .* prepare it again"
        ):
            read_dataset(damaged)


@pytest.mark.parametrize(("notes", "metadata", "complaint"), [
    ([[0, 0, 0, 24, 60, 0]], '{"format": 99, "works": []}', "format 99, this version reads 1"),
    ([[0, 0, 0, 24, 60, 0]], '{"format": 1, "works": []}', "do not stand in the order"),
    ([[0, 1, 0, 24, 60, 0], [0, 0, 0, 24, 60, 0]],
     '{"format": 1, "works": [{"voices": ["", ""]}]}', "do not stand in the order"),
    ([[0, 0, 0, 24, 999, 0]], '{"format": 1, "works": [{"voices": [""]}]}', "pitch must be"),
    ([], '{"format": 1, "works": [{"voices": [""]}]}', "KeyError"),
    ([], "[", "JSONDecodeError"),
    ([], "[]", "TypeError"),
])  # fmt: skip
def test_arrays_that_do_not_fit_together_are_refused(
    tmp_path: Path, notes: list[list[int]], metadata: str, complaint: str
) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(
        path,
        notes=np.array(notes, np.int32).reshape(-1, 6),
        works=np.frombuffer(metadata.encode(), np.uint8),
    )
    with pytest.raises(CorpusError, match=complaint):
        read_dataset(path)


def test_arrays_of_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "objects.npz",
        notes=np.zeros((0, 6), np.int32),
        works=np.array([{"format": 1}], object),
    )
    with pytest.raises(CorpusError, match="allow_pickle=False"):
        read_dataset(tmp_path / "objects.npz")


def test_names_of_works_differ_and_stand_in_order() -> None:
    dataset = Dataset(tuple(Work(name, Score(())) for name in ("b10", "b9", "a")))
    assert [work.name for work in dataset.works] == ["a", "b9", "b10"]
    with pytest.raises(ValueError, match="names of works must differ, got 'a' 2 times"):
        Dataset((Work("a", Score(())), Work("a", Score(()))))
    names = ["bwv2.10", "bwv2.9-a", "bwv2.9"]
    assert sorted(names, key=natural_sort_key) == names[::-1]


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="a split is one of train, valid, test, got 'dev'"):
        SMALL.works_in("dev")
    with pytest.raises(ValueError, match=r"got 'dev' \(work 'a'\)"):
        Work("a", Score(()), "dev")
    with pytest.raises(ValueError, match="a dropped work has no split"):
        Work("a", Score(()), "test", reason="no meter")


def test_prepared_works_do_not_depend_on_their_order(chorales: Dataset) -> None:
    works = [Work(work.name, work.score) for work in chorales.kept_works[:60]]
    assert prepare(works) == prepare(works[::-1])


# The cache.


def test_the_cache_is_used_and_rebuilt_when_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def prepare_small() -> Dataset:
        calls.append(1)
        return SMALL

    path = tmp_path / "deep" / "kept.npz"
    assert [load_or_prepare(path, prepare_small), load_or_prepare(path, prepare_small)] == [
        SMALL,
        SMALL,
    ]
    assert len(calls) == 1
    path.write_bytes(path.read_bytes()[:-99])
    assert [load_or_prepare(path, prepare_small), load_or_prepare(path, prepare_small)] == [
        SMALL,
        SMALL,
    ]
    assert len(calls) == 2
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
    assert "kept.npz: not a readable data set" in caplog.text


def test_an_unwritable_cache_causes_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "kept.npz"  # root may write anywhere but below a file
    for _ in range(2):
        assert load_or_prepare(path, lambda: SMALL) == SMALL
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "prepared data is not kept and will be prepared again next time"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
def test_the_cache_is_in_the_folder_that_the_user_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/clara")
    for chosen, xdg, expected in (
        ("/fast/disk", "/xdg", "/fast/disk"),
        ("", "/xdg", "/xdg/seqmusic"),
        ("", "relative", "/home/clara/.cache/seqmusic"),
        ("", "", "/home/clara/.cache/seqmusic"),
    ):
        monkeypatch.setenv("SEQMUSIC_CACHE", chosen)
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
        assert cache_folder() == Path(expected)


def test_the_chorales_are_read_again_in_under_a_second(chorales: Dataset) -> None:
    start = time.process_time()  # not wall-clock time: other programs may be running
    again = load_chorales()
    assert time.process_time() - start < 1
    assert again == chorales


def test_other_shares_split_the_same_works(chorales: Dataset) -> None:
    other = load_chorales(shares=Shares(test=0.5, valid=0.0), seed=3)
    assert abs(len(other.works_in("test")) - len(other.kept_works) / 2) <= 1
    assert not other.works_in("valid")
    assert [replace(work, split="") for work in other.works] == [
        replace(work, split="") for work in chorales.works
    ]


# Reading.


def test_several_processes_read_files_in_order_and_give_bad_ones_a_reason(tmp_path: Path) -> None:
    paths = [write_midi(melody([Note(0, 24, 40 + i)]), tmp_path / f"{i}.mid") for i in range(40)]
    paths[7].write_bytes(b"not MIDI")
    works = read_files(paths, read_score, n_processes=2)
    assert [work.name for work in works] == [str(i) for i in range(40)]
    assert works[7].reason.startswith("unreadable (")
    assert str(tmp_path) not in works[7].reason
    assert [work.score.voices[0].notes[0].pitch for work in works if not work.reason] == [
        40 + i for i in range(40) if i != 7
    ]


def test_a_reason_does_not_repeat_the_path_of_the_file(tmp_path: Path) -> None:
    def refuse(path: Path) -> Score:
        raise FormatError(f"{path}: holds no notes")

    (work,) = read_files([tmp_path / "x.mid"], refuse)
    assert work == Work("x", Score(()), reason="unreadable (holds no notes)")


def test_a_script_needs_no_guard_to_read_in_parallel(tmp_path: Path) -> None:
    for i in range(40):
        write_midi(melody([Note(0, 24, 40 + i)]), tmp_path / f"{i}.mid")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from seqmusic.corpus.folders.parallel_reading import read_files\n"
        "from seqmusic.formats import read_score\n"
        "paths = sorted(Path(__file__).parent.glob('*.mid'))\n"
        "print(len(read_files(paths, read_score, n_processes=2)))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("40\n", "")


def test_names_of_files_are_short_where_they_can_be() -> None:
    paths = [Path(name) for name in ("x/a.krn", "x/a.mxl", "x/b.mxl", "y/c.mxl", "z/c.mxl")]
    assert unique_file_names(paths) == ["a.krn", "a", "b", "y/c.mxl", "z/c.mxl"]


# For people.


def test_the_description_says_what_the_data_set_holds(chorales: Dataset) -> None:
    text = describe(chorales)
    notes = sum(work.score.n_notes for work in chorales.kept_works)
    n_kept, n_works = len(chorales.kept_works), len(chorales.works)
    assert f"{n_kept} works kept of {n_works}, {notes:,} notes." in text
    assert "tune with a training work: 0 %" in text
    assert max(map(len, text.splitlines())) <= 110
    report = cleaning_report(chorales).splitlines()
    assert len(report) >= len(chorales.dropped_works)
    assert all(
        any(line.startswith(work.name) and work.reason in line for line in report)
        for work in chorales.dropped_works
    )


def test_the_description_of_a_small_data_set_is_right_to_the_letter() -> None:
    c = melody([Note(0, 96, 60)])
    g = melody([Note(0, 48, 67), Note(48, 48, 79), Note(96, 24, 67), Note(120, 24, 67)])
    works = Work("a", c, "train", 0), Work("b", g, "test", 1), Work("c", g, reason="duplicate of b")
    dataset = Dataset(works)
    assert describe(dataset) == DESCRIPTION


DESCRIPTION = """\
2 works kept of 3, 5 notes.

Part   works  share  families  notes  bars
train      1   50 %         1      1     1
valid      0    0 %         0      0     0
test       1   50 %         1      4     2
all        2  100 %         2      5     3

Voice    works  notes  lowest  highest  mean
Soprano      2      5      C4       G5   G#4

Length of a work  shortest  median  mean  longest
bars                     1     1.5   1.5        2
quarters                 4       5     5        6
notes                    1     2.5   2.5        4

Time signatures (works)
  4/4: 2

Keys (works)
  C major: 1, G major: 1

Durations in quarters (notes)
  1: 2, 2: 2, 4: 1

Tune families: 2, 2 of them of a single work; the largest has 1:
  a
Held-out works that share 16 notes in a row of their tune with a training work: 0 %

Dropped: 1
  duplicate: 1
"""


def test_the_description_of_nothing_says_so() -> None:
    assert describe(Dataset(())).startswith("0 works kept of 0.")
    nothing_kept = describe(Dataset((SMALL.work("c"),)))
    assert nothing_kept.startswith("0 works kept of 1.\n\nDropped: 1\n  unreadable: 1")
    assert cleaning_report(Dataset(())) == "All 0 works are kept.\n"


def test_the_picture_is_drawn(tmp_path: Path, chorales: Dataset) -> None:
    pytest.importorskip("matplotlib")
    assert plot_dataset(chorales, tmp_path / "corpus.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in plot_dataset(Dataset(SMALL.works[:1]), tmp_path / "one.svg").read_bytes()
    with pytest.raises(FormatError, match=r"a picture ends in .png, .svg, .pdf, got '.jpg'"):
        plot_dataset(chorales, tmp_path / "corpus.jpg")
    with pytest.raises(CorpusError, match="nothing to draw"):
        plot_dataset(Dataset(()), tmp_path / "corpus.png")


def test_without_matplotlib_the_error_names_the_command_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # Python refuses the import then
    with pytest.raises(MissingExtraError, match=r"pip install 'seqmusic\[report\]'"):
        plot_dataset(SMALL, tmp_path / "corpus.png")
    assert not list(tmp_path.iterdir())

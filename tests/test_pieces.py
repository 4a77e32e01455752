"""Pieces at rest give the same tiles as scores in memory, whichever are asked for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from seqmusic.corpus.cleaning import GENERAL_RULES
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.folders.collecting import CorpusSource
from seqmusic.corpus.folders.prepared_folder import prepare_source
from seqmusic.corpus.folders.source import read_pieces_or_errors
from seqmusic.corpus.training_corpus import load_training_corpus, training_corpus_of
from seqmusic.corpus.works_table import read_works
from seqmusic.errors import CorpusError, FormatError, RequestError
from seqmusic.formats import write_score
from seqmusic.generation.output import Task, compose_run
from seqmusic.generation.request import Request
from seqmusic.model.settings import ModelSettings
from seqmusic.pitch_grid import count_cells
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.runs.train import train_run
from seqmusic.score import Note, Score, Voice, melody
from seqmusic.tokens.batched.columns import NoteColumns, note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import (
    PackedColumns,
    load_pieces,
    pack_scores,
    packed_columns,
    save_pieces,
)
from seqmusic.tokens.tokenizer import decode, encode_prompt, normalized
from seqmusic.tokens.training_tasks import legal_shifts_by_piece
from seqmusic.tokens.vocabulary import STYLE
from seqmusic.training.settings import TrainingSettings


def is_same(a: NoteColumns, b: NoteColumns) -> bool:
    return all(
        np.array_equal(getattr(a, own.name), getattr(b, own.name))
        for own in fields(NoteColumns)
        if own.name != "headers"
    ) and (a.headers == b.headers)


@given(st.lists(scores(), min_size=1, max_size=5), st.data())
def test_pieces_give_the_tiles_of_those_that_are_taken(
    drawn: list[Score], data: st.DataObject
) -> None:
    pieces, numbers = (
        pack_scores(drawn),
        data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, max_size=4)),
    )
    assert is_same(pieces.take(numbers), note_columns(drawn).take(numbers))
    assert is_same(pieces.subset(numbers).take(range(len(numbers))), pieces.take(numbers))
    assert [pieces.shifts(piece) for piece in range(len(drawn))] == legal_shifts_by_piece(
        note_columns(drawn)
    )
    assert pieces.n_cells == sum(map(count_cells, drawn))
    assert pieces.subset(numbers).n_cells == sum(count_cells(drawn[number]) for number in numbers)
    assert max(len(score.voices) for score in drawn) <= pieces.max_voices <= 16


def test_pieces_on_disk_are_those_in_memory(tmp_path: Path, chorales: Dataset) -> None:
    subsample = [work.score for work in chorales.works_in("train")[:23]]
    save_pieces(
        (packed_columns(subsample[start : start + 7]) for start in range(0, 23, 7)),
        tmp_path / "pieces",
    )
    stored, kept = load_pieces(tmp_path / "pieces"), pack_scores(subsample)
    assert stored.checksum() == kept.checksum()
    settings = TrainingSettings(batch_size=4)
    for step in range(12):
        ours, theirs = (
            draw_batch(TrainingData(pieces, DEFAULT_MAX_VOICES), settings, step)
            for pieces in (stored, kept)
        )
        for a, b in zip(ours, theirs, strict=True):
            assert np.array_equal(a.events, b.events)
            assert np.array_equal(a.context, b.context)


def test_only_what_is_taken_is_read(tmp_path: Path) -> None:
    save_pieces([packed_columns([melody([Note(0, 24, 60)])])], tmp_path / "pieces")
    pieces = load_pieces(tmp_path / "pieces")
    assert isinstance(pieces._columns.pitch, np.memmap)
    assert not isinstance(pieces.take([0]).pitch, np.memmap)


def test_some_pieces_are_the_same_each_time() -> None:
    pieces = pack_scores([melody([Note(0, 24, 40 + n)]) for n in range(50)])
    assert pieces.subsample(7).checksum() == pieces.subsample(7).checksum()
    assert len(pieces.subsample(7)) == 7
    assert pieces.subsample(50) is pieces


def test_damaged_pieces_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pieces"
    save_pieces([packed_columns([melody([Note(0, 24, 60), Note(24, 24, 62)])])], folder)
    with pytest.raises(FormatError, match="cannot be written"):
        save_pieces([], folder)
    whole = (folder / "pitch.npy").read_bytes()
    for data in (b"", whole[:60], whole[:-1], b"x" * 200):
        (folder / "pitch.npy").write_bytes(data)
        with pytest.raises(
            CorpusError, match=r"pitch.npy: missing or damaged .* prepare the data again"
        ):
            load_pieces(folder)
    np.save(folder / "pitch.npy", np.zeros(1, np.int8))
    with pytest.raises(CorpusError, match="do not fit together; prepare the data again"):
        load_pieces(folder)
    (folder / "pitch.npy").unlink()
    with pytest.raises(CorpusError, match=r"pitch\.npy: missing or damaged"):
        load_pieces(folder)


def tune(seed: int, n: int = 30) -> Score:
    draw = np.random.default_rng(seed)
    return melody([Note(24 * k, 24, 60 + int(draw.integers(12))) for k in range(n)], name="Voice 1")


def test_styles_come_from_the_folder_to_the_header(tmp_path: Path) -> None:
    paths = {f"{n}": write_score(tune(n), tmp_path / f"{n}.mid") for n in range(9)}
    source = CorpusSource(
        "mine",
        paths,
        read_pieces_or_errors,
        GENERAL_RULES,
        {"0": "waltz", "1": "march", "2": "waltz"},
    )
    prepare_source(source, tmp_path / "out", n_processes=1)
    corpus = load_training_corpus(tmp_path / "out")
    styles = {}
    for number, work in enumerate(corpus.pieces.work_ids.tolist()):
        (header,) = corpus.pieces.take([number]).headers
        styles[corpus.names[work]] = [
            sound - STYLE for sound, _ in header if STYLE <= sound < STYLE + 16
        ]
    assert styles == {"0": [1], "1": [0], "2": [1], **{f"{n}": [] for n in range(3, 9)}}
    (trace,) = trace_batch(corpus.pieces.take([0]))
    assert decode(trace.events.tolist()) in [normalized(tune(number)) for number in range(9)]
    assert (STYLE + 3, 0) in encode_prompt(tune(1), None, style=3)
    with pytest.raises(ValueError, match=r"a style is a number in 0..15, got 16"):
        encode_prompt(tune(1), None, style=16)


def test_a_model_is_asked_for_a_style_by_its_name(tmp_path: Path) -> None:
    styles = {f"{n}": ("waltz", "march")[n % 2] for n in range(9)}
    paths = {name: write_score(tune(int(name)), tmp_path / f"{name}.mid") for name in styles}
    prepare_source(
        CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, styles),
        tmp_path / "out",
        n_processes=1,
    )
    settings = TrainingSettings(steps=2, batch_size=2, evaluate_every=2)
    configuration = Configuration(
        model=ModelSettings(width=16, layers=1, heads=2), training=settings
    )
    train_run(configuration, tmp_path / "run", corpus=tmp_path / "out", device="cpu")
    head, request = tune(3).sliced(0, 96), Request(n=1)

    def composed(style: str) -> list[dict[str, object]]:
        task = Task(name="continue", bars=2, voices=("1",), style=style)
        return compose_run(task, head, tmp_path / "run", request, tmp_path / f"made {style}")

    (waltz,), (march,), (free,) = composed("waltz"), composed("march"), composed("")
    assert len({one["log_probability_per_note"] for one in (waltz, march, free)}) == 3
    with pytest.raises(RequestError, match="has learned no style 'polka'; it knows march, waltz"):
        composed("polka")


def test_the_table_of_a_prepared_folder_decides_what_is_trained_on(tmp_path: Path) -> None:
    paths = {
        f"{n}": write_score(tune(n % 8), tmp_path / f"{n}.mid") for n in range(9)
    }  # 8 repeats 0
    prepare_source(
        CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, {}),
        tmp_path / "out",
        n_processes=1,
    )
    table = tmp_path / "out" / "works.csv"
    rows = [row.split(",") for row in table.read_text("utf-8").splitlines()]
    assert {row[0]: row[4] for row in rows}["8"] == "duplicate of 0"

    def written(splits: dict[str, str]) -> None:
        lines = [["work", "split"], *([name, split] for name, split in splits.items())]
        table.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")

    written({"0": "valid", "1": "train", "3": "train"})
    corpus = load_training_corpus(tmp_path / "out")
    assert [len(corpus.pieces_in(split)) for split in ("train", "valid", "test")] == [2, 1, 0]
    assert len(set(corpus.fingerprints()[:, 0].tolist())) == 2
    assert corpus.write_table(tmp_path / "copy.csv").read_text() == table.read_text()
    assert set(read_works(tmp_path / "copy.csv")) == {"0", "1", "3"}
    written({"8": "train"})
    with pytest.raises(
        CorpusError, match="work '8' has a split, but was dropped when the data was prepared"
    ):
        load_training_corpus(tmp_path / "out")


def test_material_in_memory_is_what_the_data_set_is() -> None:
    works = [Work(f"{n}", tune(n), split) for n, split in enumerate(("train", "valid", "train"))]
    dataset = Dataset((*works, Work("x", Score((Voice("a", ()),)), reason="no notes")))
    corpus = training_corpus_of(dataset)
    assert [corpus.n_works(split) for split in ("train", "valid", "test")] == [2, 1, 0]
    assert is_same(
        corpus.pieces_in("train").take([0, 1]), note_columns([works[0].score, works[2].score])
    )
    assert corpus.table.count("\n") == 5
    assert isinstance(corpus.pieces._columns, PackedColumns)

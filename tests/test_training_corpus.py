"""The works that a model learns from, with their splits and styles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from traces import assert_same_columns

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.folders.collecting import CorpusSource
from seqmusic.corpus.folders.prepared_folder import prepare_source
from seqmusic.corpus.folders.source import read_pieces_or_errors
from seqmusic.corpus.selection.cleaning import GENERAL_RULES
from seqmusic.corpus.training_corpus import load_training_corpus, training_corpus_of
from seqmusic.corpus.works_table import read_works
from seqmusic.errors import CorpusError, RequestError
from seqmusic.formats import write_score
from seqmusic.generation.output import Task, compose_run
from seqmusic.generation.request import Request
from seqmusic.model.settings import ModelSettings
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.train import train_run
from seqmusic.score import Note, Score, Voice, melody
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import PackedColumns
from seqmusic.tokens.tokenizer import decode, encode_prompt, normalized
from seqmusic.tokens.vocabulary import STYLE, is_style
from seqmusic.tonality import with_tonal_key
from seqmusic.training.settings import TrainingSettings


def tune(seed: int) -> Score:
    rng = np.random.default_rng(seed)
    return melody([Note(24 * k, 24, 60 + int(rng.integers(12))) for k in range(30)], name="Voice 1")


def test_styles_of_a_prepared_folder_are_in_the_headers(tmp_path: Path) -> None:
    paths = {f"{n}": write_score(tune(n), tmp_path / f"{n}.mid") for n in range(9)}
    styles_of_files = {"0": "waltz", "1": "march", "2": "waltz"}
    source = CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, styles_of_files)
    prepare_source(source, tmp_path / "out", n_processes=1)
    corpus = load_training_corpus(tmp_path / "out")
    styles = {}
    for number, work in enumerate(corpus.pieces.work_ids.tolist()):
        (header,) = corpus.pieces.take([number]).headers
        styles[corpus.names[work]] = [sound - STYLE for sound, _ in header if is_style(sound)]
    assert styles == {"0": [1], "1": [0], "2": [1], **{f"{n}": [] for n in range(3, 9)}}
    (trace,) = trace_batch(corpus.pieces.take([0]))
    tunes = [normalized(with_tonal_key(tune(number))) for number in range(9)]
    assert decode(trace.events.tolist()) in tunes
    assert (STYLE + 3, 0) in encode_prompt(tune(1), None, style=3)
    with pytest.raises(ValueError, match=r"a style is a number in 0..15, got 16"):
        encode_prompt(tune(1), None, style=16)


def test_a_request_names_the_style(tmp_path: Path) -> None:
    styles = {f"{n}": ("waltz", "march")[n % 2] for n in range(9)}
    paths = {name: write_score(tune(int(name)), tmp_path / f"{name}.mid") for name in styles}
    source = CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, styles)
    prepare_source(source, tmp_path / "out", n_processes=1)
    configuration = Configuration(
        model=ModelSettings(width=16, layers=1, heads=2),
        training=TrainingSettings(steps=2, batch_size=2, evaluate_every=2),
    )
    run = tmp_path / "run"
    train_run(configuration, run, corpus=tmp_path / "out", device="cpu")
    head, request = tune(3).sliced(0, 96), Request(n=1)

    def composed(style: str) -> list[dict[str, object]]:
        task = Task(name="continue", bars=2, voices=("1",), style=style)
        return compose_run(task, head, run, request, tmp_path / f"composed {style}")

    (waltz,), (march,), (free,) = composed("waltz"), composed("march"), composed("")
    assert len({one["log_probability_per_note"] for one in (waltz, march, free)}) == 3
    with pytest.raises(RequestError, match="has learned no style 'polka'; it knows march, waltz"):
        composed("polka")


def test_the_table_of_a_prepared_folder_selects_the_training_works(tmp_path: Path) -> None:
    # Work 8 repeats work 0.
    paths = {f"{n}": write_score(tune(n % 8), tmp_path / f"{n}.mid") for n in range(9)}
    source = CorpusSource("mine", paths, read_pieces_or_errors, GENERAL_RULES, {})
    prepare_source(source, tmp_path / "out", n_processes=1)
    table = tmp_path / "out" / "works.csv"
    rows = [row.split(",") for row in table.read_text("utf-8").splitlines()]
    assert {row[0]: row[4] for row in rows}["8"] == "duplicate of 0"

    def write_splits(splits: dict[str, str]) -> None:
        lines = [["work", "split"], *([name, split] for name, split in splits.items())]
        table.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")

    write_splits({"0": "valid", "1": "train", "3": "train"})
    corpus = load_training_corpus(tmp_path / "out")
    assert [len(corpus.pieces_in(split)) for split in ("train", "valid", "test")] == [2, 1, 0]
    assert len(set(corpus.fingerprints()[:, 0].tolist())) == 2
    assert corpus.write_table(tmp_path / "copy.csv").read_text() == table.read_text()
    assert set(read_works(tmp_path / "copy.csv")) == {"0", "1", "3"}
    write_splits({"8": "train"})
    message = "work '8' has a split, but was dropped when the data was prepared"
    with pytest.raises(CorpusError, match=message):
        load_training_corpus(tmp_path / "out")


def test_a_corpus_in_memory_holds_the_kept_works() -> None:
    works = [Work(f"{n}", tune(n), split) for n, split in enumerate(("train", "valid", "train"))]
    dataset = Dataset((*works, Work("x", Score((Voice("a", ()),)), reason="no notes")))
    corpus = training_corpus_of(dataset)
    assert [corpus.n_works(split) for split in ("train", "valid", "test")] == [2, 1, 0]
    expected = note_columns([works[0].score, works[2].score])
    assert_same_columns(corpus.pieces_in("train").take([0, 1]), expected)
    assert corpus.table.count("\n") == 5
    assert isinstance(corpus.pieces._columns, PackedColumns)

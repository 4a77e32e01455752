"""The models that come with seqmusic: complete, small, and with a list of their training works."""

from pathlib import Path

import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.similarity.fingerprints import known_pieces, read_fingerprints
from seqmusic.errors import CheckpointError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation
from seqmusic.generation.request import Request
from seqmusic.pitch_grid import count_cells
from seqmusic.runs.pretrained import (
    BENCHMARK_MODELS,
    PRETRAINED,
    load_model,
    make_grammar_masks,
    model_folder,
)
from seqmusic.runs.validation import validation_nats
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch


def test_the_models_are_complete_and_small() -> None:
    names = {folder.name for folder in PRETRAINED.iterdir()}
    benchmarks = {path.name for path in BENCHMARK_MODELS}
    assert {"chorales", "styles", "recognizer", *benchmarks} == names
    assert all(
        sum(path.stat().st_size for path in folder.iterdir()) < 7_000_000
        for folder in PRETRAINED.iterdir()
    )


def test_a_folder_takes_precedence_over_a_model_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model_folder(None) == model_folder(Path("chorales")) == PRETRAINED / "chorales"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chorales").mkdir()
    (tmp_path / "chorales" / "model.safetensors").write_bytes(
        (PRETRAINED / "jsb" / "model.safetensors").read_bytes()
    )
    assert model_folder(Path("chorales")) == Path("chorales")
    with pytest.raises(CheckpointError, match="no trained model there"):
        load_model(Path("nothing"))


def test_the_default_model_predicts_held_out_works_as_on_its_card(chorales: Dataset) -> None:
    """On some validation works; the figure on the card is over all of them."""
    scores = [work.score for work in chorales.works_in("valid")[:12]]
    model = load_model(model_folder(None))
    figures = validation_nats(
        model,
        trace_batch(note_columns(scores)),
        make_grammar_masks(next(model.parameters()).device),
        sum(map(count_cells, scores)),
    )
    assert 0.3 < figures["nats_per_cell"] < 0.52


def test_fingerprints_are_those_of_the_training_works_alone(chorales: Dataset) -> None:
    known = read_fingerprints(model_folder(None))
    assert known_pieces(known, [work.score for work in chorales.works_in("test")]) == []
    training = [work.score for work in chorales.works_in("train")[:20]]
    assert known_pieces(known, training) == list(range(20))


def test_the_default_model_continues() -> None:
    (candidate,) = continuation(
        load_model(model_folder(None)),
        parse_theme("G4 A4 B4 C5"),
        Request(n=1),
        bars=2,
        voices="melody",
    )
    assert candidate.score.end_ticks == 192

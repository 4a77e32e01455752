"""What look-ahead is worth: the sums add up, the soprano is kept in every way, and nothing of what is to come leaks."""

import json
from dataclasses import replace

import pytest
import torch

from seqmusic.baselines.ngram import NGram
from seqmusic.benchmarks.harmony import held_out_chorales
from seqmusic.benchmarks.lookahead import (
    count_matching_cells,
    harmonize_with_lookahead,
    harmonize_with_ngram,
    harmonize_without_lookahead,
    mean_cell_accuracy,
    nats_in_order,
    voice_nats,
)
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.metrics.likelihood import score_events
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import SATB, Key, Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import encode, trace

PIECE = parse_theme(
    "C5 B4 A4:1/8 G4 A4:1/4 | G4:1 ; E4:1/2 F4 | E4:1 ; G3 C4 C4 C4 | C4:1 ; C3 G3 F3 F3 | C3:1",
    key=Key(0, "major"),
)


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(3)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=512), VOCABULARY
    ).eval()


def test_the_voices_add_up_to_the_music(model: Transformer) -> None:
    whole = voice_nats(model, [PIECE], SATB)
    parts = [voice_nats(model, [PIECE], [name]) for name in SATB]
    assert whole.nats[0] == pytest.approx(sum(part.nats[0] for part in parts))
    assert whole.cells == (4 * 32,)
    sequence = trace(encode(PIECE))
    (scored,) = score_events(model, [sequence], make_grammar_masks(torch.device("cpu")))
    marks = sequence.events[scored.rows + 1, 1] == 0  # header without a pickup, and the end
    assert whole.nats[0] == pytest.approx(scored.nats[~marks].sum())
    assert voice_nats(model, [PIECE], SATB[1:], SATB[:1]).cells == (3 * 32,)


def test_the_first_voice_of_an_order_is_a_melody_alone(model: Transformer) -> None:
    melody = replace(PIECE, voices=PIECE.voices[:1])
    (scored,) = score_events(
        model, [trace(encode(melody))], make_grammar_masks(torch.device("cpu"))
    )
    body = scored.nats[3:].sum()  # after time signature, pickup and key
    ordered = nats_in_order(model, [PIECE], [SATB])
    lower = 0.0
    for place, name in enumerate(SATB[1:], start=1):
        part = replace(PIECE, voices=PIECE.voices[: place + 1])
        sequence = trace(encode(part, [[] for _ in range(place)] + [[(0, PIECE.end_ticks)]]))
        (own,) = score_events(model, [sequence], make_grammar_masks(torch.device("cpu")))
        is_note = sequence.events[own.rows + 1, 1] > 0
        lower += own.nats[is_note].sum()
        assert name == part.voices[-1].name
    assert ordered.nats[0] == pytest.approx(body + lower, rel=1e-5)
    assert nats_in_order(model, [PIECE], [SATB[::-1]]).nats != ordered.nats


def test_the_soprano_is_kept_in_every_way(model: Transformer) -> None:
    ngram = NGram(trace_batch(note_columns([PIECE]), None, 4))
    for made in (
        *harmonize_with_lookahead(model, PIECE, Request(n=2)),
        *harmonize_without_lookahead(model, PIECE, Request(n=2)),
        *harmonize_with_ngram(ngram, PIECE, Request(n=2)),
    ):
        assert made.voices[0] == PIECE.voices[0]
        assert {voice.end_ticks for voice in made.voices} == {PIECE.end_ticks}
    (greedy,) = harmonize_with_ngram(ngram, PIECE, Request(n=1, temperature=0))
    assert (
        count_matching_cells(greedy, PIECE)[0] > 0.5 * count_matching_cells(greedy, PIECE)[1]
    )  # it knows this one piece
    assert greedy == harmonize_with_ngram(ngram, PIECE, Request(n=1, temperature=0, seed=5))[0]


def test_without_look_ahead_the_future_changes_nothing_before_it(model: Transformer) -> None:
    other = parse_theme("C5 B4 A4:1/8 G4 F4:1/4 | E4:1", key=Key(0, "major"))
    changed = replace(PIECE, voices=(other.voices[0], *PIECE.voices[1:]))

    def before(score: Score) -> list[object]:
        return [n for voice in score.voices for n in voice.notes if n.onset_ticks < 72]

    for way in (
        harmonize_without_lookahead,
        lambda m, s, r: harmonize_with_ngram(
            NGram(trace_batch(note_columns([PIECE]), None, 4)), s, r
        ),
    ):
        assert before(way(model, PIECE, Request(n=1))[0]) == before(
            way(model, changed, Request(n=1))[0]
        )
    together = [
        [before(one) for one in harmonize_with_lookahead(model, piece, Request(n=16))]
        for piece in (PIECE, changed)
    ]
    assert together[0] != together[1]


def test_accuracy_counts_cells() -> None:
    other = replace(
        PIECE, voices=(*PIECE.voices[:3], replace(PIECE.voices[3], notes=PIECE.voices[2].notes))
    )
    assert count_matching_cells(PIECE, PIECE) == (96, 96)
    assert count_matching_cells(other, PIECE) == (64, 96)
    assert mean_cell_accuracy([PIECE, PIECE], lambda score: [score, other]) == pytest.approx(
        (96 + 64) / 192
    )


def test_held_out_works_are_whole(chorales: Dataset) -> None:
    scores = held_out_chorales(chorales, "valid")
    assert len(scores) > 30
    assert all(score.voices[0].end_ticks == score.end_ticks for score in scores)


def test_the_command_ends_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "harmony", "--split", "valid", "--works", "1", "-n", "2"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["pieces"] == {"Bach": 1, "--lenience 1": 2, "default": 2, "--strict": 2}
    assert told["lower_voices"]["gain"] == pytest.approx(
        1 - told["lower_voices"]["ahead"] / told["lower_voices"]["past"]
    )
    assert told["style"]["--strict"]["parallel fifths"]["value"] == 0
    assert set(told["orders"]) == {"soprano first", "bass first", "any order", "together"}
    assert 0 < told["accuracy"]["n-gram"]["likeliest"] < 1
    assert main(["benchmark", "harmony", "-n", "0"]) == 2

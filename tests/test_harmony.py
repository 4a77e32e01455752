"""Look-ahead: sums of nats, and harmonizations that keep the soprano and see no future."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from seqmusic.baselines.ngram import NGram
from seqmusic.benchmarks.harmonizing import (
    cell_accuracy,
    count_matching_cells,
    harmonize_with_lookahead,
    harmonize_with_ngram,
    harmonize_without_lookahead,
)
from seqmusic.benchmarks.harmony import held_out_chorales
from seqmusic.benchmarks.lookahead import nats_in_order, voice_nats
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.metrics.likelihood import score_events
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import SATB, Key, Score
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


def test_the_nats_of_the_voices_add_up(model: Transformer) -> None:
    whole = voice_nats(model, [PIECE], SATB)
    parts = [voice_nats(model, [PIECE], [name]) for name in SATB]
    assert whole.nats[0] == pytest.approx(sum(part.nats[0] for part in parts))
    assert whole.cells == (4 * 32,)
    sequence = trace(encode(PIECE))
    (scored,) = score_events(model, [sequence], make_grammar_masks(torch.device("cpu")))
    is_note = sequence.events[scored.rows + 1, 1] > 0  # without the header and the end
    assert whole.nats[0] == pytest.approx(scored.nats[is_note].sum())
    assert voice_nats(model, [PIECE], SATB[1:], SATB[:1]).cells == (3 * 32,)


def test_the_first_voice_of_an_order_is_scored_alone(model: Transformer) -> None:
    melody = replace(PIECE, voices=PIECE.voices[:1])
    (scored,) = score_events(
        model, [trace(encode(melody))], make_grammar_masks(torch.device("cpu"))
    )
    body = scored.nats[3:].sum()  # after time signature, pickup and key
    ordered = nats_in_order(model, [PIECE], [SATB])
    lower = 0.0
    for n_given in (1, 2, 3):
        part = replace(PIECE, voices=PIECE.voices[: n_given + 1])
        sequence = trace(encode(part, [[] for _ in range(n_given)] + [[(0, PIECE.end_ticks)]]))
        (scored,) = score_events(model, [sequence], make_grammar_masks(torch.device("cpu")))
        is_note = sequence.events[scored.rows + 1, 1] > 0
        lower += scored.nats[is_note].sum()
    assert ordered.nats[0] == pytest.approx(body + lower, rel=1e-5)
    assert nats_in_order(model, [PIECE], [SATB[::-1]]).nats != ordered.nats


def test_every_harmonization_keeps_the_soprano(model: Transformer) -> None:
    ngram = NGram(encode_pieces([PIECE]).traces)
    for harmonization in (
        *harmonize_with_lookahead(model, PIECE, Request(n=2)),
        *harmonize_without_lookahead(model, PIECE, Request(n=2)),
        *harmonize_with_ngram(ngram, PIECE, Request(n=2)),
    ):
        assert harmonization.voices[0] == PIECE.voices[0]
        assert {voice.end_ticks for voice in harmonization.voices} == {PIECE.end_ticks}
    (greedy,) = harmonize_with_ngram(ngram, PIECE, Request(n=1, temperature=0))
    assert cell_accuracy([(greedy, PIECE)]) > 0.5  # it was counted over this piece alone
    assert greedy == harmonize_with_ngram(ngram, PIECE, Request(n=1, temperature=0, seed=5))[0]


def test_without_look_ahead_the_past_does_not_depend_on_the_future(model: Transformer) -> None:
    other = parse_theme("C5 B4 A4:1/8 G4 F4:1/4 | E4:1", key=Key(0, "major"))
    changed = replace(PIECE, voices=(other.voices[0], *PIECE.voices[1:]))

    def before(score: Score) -> list[object]:
        return [n for voice in score.voices for n in voice.notes if n.onset_ticks < 72]

    ngram, request = NGram(encode_pieces([PIECE]).traces), Request(n=1)
    for harmonize in (
        partial(harmonize_without_lookahead, model),
        partial(harmonize_with_ngram, ngram),
    ):
        (one,), (other_one,) = harmonize(PIECE, request), harmonize(changed, request)
        assert before(one) == before(other_one)
    with_lookahead = [
        [before(one) for one in harmonize_with_lookahead(model, piece, Request(n=16))]
        for piece in (PIECE, changed)
    ]
    assert with_lookahead[0] != with_lookahead[1]


def test_accuracy_by_hand() -> None:
    other = replace(
        PIECE, voices=(*PIECE.voices[:3], replace(PIECE.voices[3], notes=PIECE.voices[2].notes))
    )
    assert count_matching_cells(PIECE, PIECE) == (96, 96)
    assert count_matching_cells(other, PIECE) == (64, 96)
    pairs = [(PIECE, PIECE), (other, PIECE)]
    assert cell_accuracy(pairs) == pytest.approx((96 + 64) / 192)


def test_held_out_sopranos_sound_to_the_end(chorales: Dataset) -> None:
    scores = held_out_chorales(chorales, "valid")
    assert len(scores) > 30
    assert all(score.voices[0].end_ticks == score.end_ticks for score in scores)


def test_the_last_line_of_harmony_is_the_figures_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["benchmark", "harmony", "--split", "valid", "--works", "1", "-n", "2"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["pieces"] == {
        "Bach": 1,
        "--effort 0 --lenience 1": 2,
        "--effort 0": 2,
        "--effort 0 --strict": 2,
        "default": 2,
    }
    assert report["lower_voices"]["gain"] == pytest.approx(
        1 - report["lower_voices"]["ahead"] / report["lower_voices"]["past"]
    )
    assert report["style"]["--effort 0 --strict"]["parallel fifths"]["value"] == 0
    assert set(report["orders"]) == {"soprano first", "bass first", "any order", "together"}
    assert 0 < report["accuracy"]["n-gram"]["likeliest"] < 1
    assert main(["benchmark", "harmony", "-n", "0"]) == 2

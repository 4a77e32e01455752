"""Rates of composing, training and encoding, beside those of other libraries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
from speed_peers import generate_tokens, make_peer, remi, training_step
from speed_rounds import MeasuredRates, Method, interleaved

from seqmusic.corpus.dataset import Work
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.request import Request
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import count_cells
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import Trace, decode, encode, encode_prompt
from seqmusic.training.loop import new_training_state, train
from seqmusic.training.settings import TrainingSettings

SIZES = {
    "128x4": ModelSettings(width=128, layers=4, heads=4),
    "256x6": ModelSettings(width=256, layers=6, heads=8),
}
MAIN_SIZE = "128x4"  # of which training is measured, and the main ratios are reported
BAR_TICKS = 96
N_BARS, _N_PEER_TOKENS = 16, 256  # what we compose, and about as many tokens of a peer
_BATCH_SIZE = 8  # in training


def decoding_rates(
    size: str, n_rows: int, peers: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions per second of an untrained model that composes, and tokens per second of peers.

    The model prefers eighths, quarters and halves, so that its pieces have about as many notes as
    chorales.

    Args:
        size: one of SIZES.
        n_rows: pieces composed at once.
        peers: names of PEERS.
        seconds: about how long all rounds take.
    """
    torch.manual_seed(0)
    model = Transformer(SIZES[size], VOCABULARY).eval()
    with torch.no_grad():
        model.heads.duration.bias[[12, 24, 48]] += torch.tensor([8.0, 10.0, 8.0])
    empty = Score(tuple(Voice(name, ()) for name in SATB))
    prompt = encode_prompt(empty, [[(0, N_BARS * BAR_TICKS)] for _ in SATB])
    seeds = count()

    def compose() -> dict[str, int]:
        candidates = complete(model, prompt, Request(n=n_rows, seed=next(seeds)), Constraints({}))
        return {
            "positions": sum(candidate.n_events for candidate in candidates),
            "notes": sum(candidate.score.n_notes for candidate in candidates),
            "bars": N_BARS * n_rows,
        }

    methods: dict[str, Method] = {"ours": compose}
    for name in peers:
        peer = make_peer(name, SIZES[size], VOCABULARY.n_sounds)
        generate = partial(generate_tokens, peer, n_rows, len(prompt), _N_PEER_TOKENS)
        methods[name] = partial(_counted, generate, "positions")
    return interleaved(methods, seconds)


def training_rates(
    works: Sequence[Work], peers: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions and pieces per second in training.

    A peer trains on sequences of our lengths, and on those of the sixteenth grid.

    Args:
        works: to train on.
        peers: names of PEERS.
        seconds: about how long all rounds take.
    """
    ours = _OurTraining(works)
    methods: dict[str, Method] = {"ours": ours}
    rng = np.random.default_rng(0)
    n_cells = sorted(count_cells(work.score) for work in works)
    for name in peers:
        on_ours, on_grid = (
            training_step(make_peer(name, SIZES[MAIN_SIZE], VOCABULARY.n_sounds)) for _ in range(2)
        )
        methods[name] = partial(_train_on_our_lengths, on_ours, ours, rng)
        methods[f"{name} on the grid"] = partial(_train_on_grid, on_grid, n_cells, rng)
    return interleaved(methods, seconds)


class _OurTraining:
    """Training steps of our model; a call makes one step.

    Attributes:
        lengths: positions of the sequences of the last step.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self._settings = TrainingSettings(
            steps=1 << 30, batch_size=_BATCH_SIZE, evaluate_every=1 << 30
        )
        self._data = training_data(works)
        self._state = new_training_state(Transformer(SIZES[MAIN_SIZE], VOCABULARY), self._settings)
        self._drawn: dict[int, list[int]] = {}  # lengths by step: batches are drawn ahead
        self.lengths: list[int] = []
        masks = make_grammar_masks(torch.device("cpu"))
        self._steps = train(self._state, self._settings, self._draw, lambda _: {"": 0.0}, masks)

    def __call__(self) -> dict[str, int]:
        next(self._steps)
        self.lengths = self._drawn.pop(self._state.step - 1)
        return {"positions": sum(self.lengths), "pieces": len(self.lengths)}

    def _draw(self, step: int) -> list[Trace]:
        traces = draw_batch(self._data, self._settings, step)
        self._drawn[step] = [len(trace.events) - 1 for trace in traces]
        return traces


def _train_on_our_lengths(
    step: Callable[[Any], int], ours: _OurTraining, rng: np.random.Generator
) -> dict[str, int]:
    """Train a peer on sequences as long as those of our last step, within its context."""
    lengths = [min(n, SIZES[MAIN_SIZE].context_length) for n in ours.lengths]
    n_positions = step([rng.integers(1, 99, n) for n in lengths])
    return {"positions": n_positions, "pieces": len(lengths)}


def _train_on_grid(
    step: Callable[[Any], int], n_cells: Sequence[int], rng: np.random.Generator
) -> dict[str, int]:
    """Train a peer on sequences as long as works of similar length on the grid."""
    first = int(rng.integers(max(1, len(n_cells) - _BATCH_SIZE)))
    batch = n_cells[first : first + _BATCH_SIZE]
    lengths = [min(n, SIZES[MAIN_SIZE].context_length) for n in batch]
    n_positions = step([rng.integers(1, 48, n) for n in lengths])
    return {"positions": n_positions, "pieces": len(lengths)}


def corpus_figures(works: Sequence[Work]) -> dict[str, float]:
    """Seconds to prepare the works for training, rates of encoding and decoding, positions per bar.

    If MidiTok is installed, its REMI encodes and decodes beside us.
    """
    scores = [work.score for work in works]
    events = [encode(score) for score in scores]
    n_notes = sum(score.n_notes for score in scores)
    started = time.perf_counter()
    data = training_data(works)
    figures = {"prepare_seconds": time.perf_counter() - started}
    n_bars = sum(score.end_ticks for score in scores) / BAR_TICKS
    figures["positions_per_bar"] = int(data.pieces.n_notes.sum()) / n_bars
    ours: dict[str, Callable[[], object]] = {
        "encode": lambda: trace_batch(note_columns(scores)),
        "decode": lambda: [decode(piece) for piece in events],
    }
    theirs = remi(scores)
    for kind, job in ours.items():
        jobs = {"ours": job} | ({"miditok": theirs[kind]} if theirs else {})
        methods = {name: partial(_count_notes, job, n_notes) for name, job in jobs.items()}
        rates = interleaved(methods, 0.0)
        figures[f"{kind}_notes_per_second"] = rates["ours"]["notes"]["per_second"]
        if theirs:
            figures[f"miditok_{kind}_notes_per_second"] = rates["miditok"]["notes"]["per_second"]
            figures[f"{kind}_ratio"] = rates["miditok"]["notes"]["ratio"]
    return figures


def _count_notes(job: Callable[[], object], n_notes: int) -> dict[str, int]:
    job()
    return {"notes": n_notes}


def _counted(generate: Callable[[], int], unit: str) -> dict[str, int]:
    return {unit: generate()}

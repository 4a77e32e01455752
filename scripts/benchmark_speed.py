"""How fast we are, beside what one would use instead, in one run.

What is compared takes turns, so that other work on the machine slows all methods alike. We report
the median of the rounds, and the median of the ratios within a round. Times are processor time,
with one thread of torch; for numpy set OPENBLAS_NUM_THREADS=1.

    python scripts/benchmark_speed.py --against transformers,x-transformers
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from speed_peers import PEERS, PeerModel, generate_tokens, make_peer, remi, training_step
from speed_timing import MeasuredRates, format_rates, interleaved, peak_megabytes

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.loading import load_corpus
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import compiled_backend
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import count_cells
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import decode, encode, encode_prompt
from seqmusic.training.loop import new_training_state, train
from seqmusic.training.settings import TrainingSettings

SIZES = {
    "128x4": ModelSettings(width=128, layers=4, heads=4),
    "256x6": ModelSettings(width=256, layers=6, heads=8),
}
MAIN_SIZE = "128x4"  # whose ratios are the main ones
BATCHES = (1, 16)
CELLS_PER_BAR = 64  # of four voices in 4/4, on the sixteenth grid
BAR_TICKS = 96
N_BARS, _N_NEW = 16, 256  # what we compose, and about as many tokens for the others
_BATCH_SIZE = 8  # a batch in training
_PRETRAINED_OPTIONS = (
    "--model.layers 2 --model.feedforward 2 --training.batch_size 8 --training.steps 100"
)


def benchmark_speed(against: Sequence[str] = (), seconds: float = 180.0) -> dict[str, Any]:
    """Rates, ratios and memory as plain values; prints a table as it grows.

    Args:
        against: peers to compare with, of `speed_peers.PEERS`; the ratios are those to the first.
        seconds: about how long all comparisons may take; each has three rounds at least.

    Raises:
        MissingExtraError: a peer is not installed.
    """
    if unknown := [name for name in against if name not in PEERS]:
        raise ValueError(f"unknown rival {unknown[0]!r}; one of {', '.join(PEERS)}")
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report = _measure(against, seconds)
    finally:
        torch.set_num_threads(n_threads)
    report["peak_mb"] = peak_memory()
    report["ratios"] = ratios(report, against[0]) if against else {}
    print(_format_summary(report))
    return report


def _measure(against: Sequence[str], seconds: float) -> dict[str, Any]:
    started = time.perf_counter()
    works = load_corpus(None).works_in("train")
    load_seconds = time.perf_counter() - started
    report: dict[str, Any] = {"corpus": {"load_seconds": load_seconds, **corpus_figures(works)}}
    share = seconds / (len(SIZES) * len(BATCHES) + 2)
    report["decoder"] = "numba" if compiled_backend() else "numpy"
    print(f"composing with {report['decoder']}")
    report["decode"] = {size: {} for size in SIZES}
    for size, n_rows in product(SIZES, BATCHES):
        rates = decoding_rates(size, n_rows, against, share)
        report["decode"][size][f"batch{n_rows}"] = rates
        print(format_rates(f"decode {size} batch {n_rows}", rates))
    report["training"] = training_rates(works, against, 2 * share)
    print(format_rates(f"train {MAIN_SIZE}", report["training"]))
    return report


def decoding_rates(
    size: str, n_rows: int, against: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions a second of an untrained model, and tokens a second of the peers.

    The model composes `n_rows` pieces at once. It prefers eighths, quarters and halves, so that its
    pieces have about as many notes as chorales.
    """
    torch.manual_seed(0)
    model = Transformer(SIZES[size], VOCABULARY).eval()
    with torch.no_grad():
        model.heads.duration.bias[[12, 24, 48]] += torch.tensor([8.0, 10.0, 8.0])
    empty = Score(tuple(Voice(name, ()) for name in SATB))
    prompt = encode_prompt(empty, [[(0, N_BARS * BAR_TICKS)] for _ in SATB])
    seeds = iter(range(1 << 30))

    def ours() -> dict[str, int]:
        candidates = complete(model, prompt, Request(n=n_rows, seed=next(seeds)), Constraints({}))
        return {
            "positions": sum(one.n_events for one in candidates),
            "notes": sum(one.score.n_notes for one in candidates),
            "bars": N_BARS * n_rows,
        }

    methods: dict[str, Callable[[], dict[str, int]]] = {"ours": ours}
    for name in against:
        peer = make_peer(name, SIZES[size], VOCABULARY.n_sounds)
        methods[name] = partial(_count_tokens, peer, n_rows, len(prompt))
    return interleaved(methods, seconds)


def _count_tokens(peer: PeerModel, n_rows: int, n_prompt: int) -> dict[str, int]:
    return {"positions": generate_tokens(peer, n_rows, n_prompt, _N_NEW)}


def training_rates(
    works: Sequence[Work], against: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions and pieces a second in training.

    A peer learns sequences as long as ours, and, beside that, those of the sixteenth grid.
    """
    settings = TrainingSettings(steps=1 << 30, batch_size=_BATCH_SIZE, evaluate_every=1 << 30)
    data = training_data(works)
    state = new_training_state(Transformer(SIZES[MAIN_SIZE], VOCABULARY), settings)
    drawn: dict[int, list[int]] = {}  # lengths by step; batches are drawn one step ahead
    lengths: list[int] = []

    def draw(step: int) -> Any:
        traces = draw_batch(data, settings, step)
        drawn[step] = [len(trace.events) - 1 for trace in traces]
        return traces

    masks = make_grammar_masks(torch.device("cpu"))
    steps = train(state, settings, draw, lambda model: {"": 0.0}, masks)

    def ours() -> dict[str, int]:
        next(steps)
        lengths[:] = drawn.pop(state.step - 1)
        return {"positions": sum(lengths), "pieces": len(lengths)}

    methods: dict[str, Callable[[], dict[str, int]]] = {"ours": ours}
    rng = np.random.default_rng(0)
    for name in against:
        methods |= _peer_training(name, lengths, works, rng)
    return interleaved(methods, seconds)


def _peer_training(
    name: str, lengths: Sequence[int], works: Sequence[Work], rng: np.random.Generator
) -> dict[str, Callable[[], dict[str, int]]]:
    """Training steps of a peer: on sequences of `lengths`, and on the sixteenth grid."""
    settings = SIZES[MAIN_SIZE]
    on_ours, on_grid = (
        training_step(make_peer(name, settings, VOCABULARY.n_sounds)) for _ in range(2)
    )
    n_cells = sorted(count_cells(work.score) for work in works)

    def step(take: Callable[[Any], int], n_tokens: Sequence[int], n_ids: int) -> dict[str, int]:
        shortened = [min(n, settings.context_length) for n in n_tokens]  # a peer takes no more
        positions = take([rng.integers(1, n_ids, n) for n in shortened])
        return {"positions": positions, "pieces": len(shortened)}

    def train_on_ours() -> dict[str, int]:
        return step(on_ours, lengths, 99)

    def train_on_grid() -> dict[str, int]:
        first = int(rng.integers(max(1, len(n_cells) - _BATCH_SIZE)))
        return step(on_grid, n_cells[first : first + _BATCH_SIZE], 48)

    return {name: train_on_ours, f"{name} on the grid": train_on_grid}


def corpus_figures(works: Sequence[Work]) -> dict[str, float]:
    """Seconds and rates of preparing, encoding and decoding the works; positions per bar of 4/4.

    Where MidiTok is installed, it encodes and decodes beside us.
    """
    scores = [work.score for work in works]
    n_notes, events = sum(score.n_notes for score in scores), [encode(score) for score in scores]
    jobs: dict[str, Callable[[], object]] = {
        "encode": lambda: trace_batch(note_columns(scores)),
        "decode": lambda: [decode(sequence) for sequence in events],
    }
    started = time.perf_counter()
    data = training_data(works)
    n_ticks = sum(score.end_ticks for score in scores)
    figures = {
        "prepare_seconds": time.perf_counter() - started,
        "positions_per_bar": int(data.pieces.n_notes.sum()) * BAR_TICKS / n_ticks,
    }
    peers = remi(scores)
    for kind, job in jobs.items():
        both = {"ours": job} | ({"miditok": peers[kind]} if peers else {})
        rates = interleaved(
            {name: partial(_count_notes, one, n_notes) for name, one in both.items()}, 0.0
        )
        figures[f"{kind}_notes_per_second"] = rates["ours"]["notes"]["per_second"]
        if peers:
            figures[f"miditok_{kind}_notes_per_second"] = rates["miditok"]["notes"]["per_second"]
            figures[f"{kind}_ratio"] = rates["miditok"]["notes"]["ratio"]
    return figures


def _count_notes(job: Callable[[], object], n_notes: int) -> dict[str, int]:
    job()
    return {"notes": n_notes}


def peak_memory() -> dict[str, float]:
    """Largest memory in MB of a process that continues a theme, and of one that trains a model.

    The model is like the one that comes with the package.
    """
    with tempfile.TemporaryDirectory() as folder:
        theme = ["C4 D4 E4 F4", "--voices", "satb", "--out", str(Path(folder, "a"))]
        options = [*_PRETRAINED_OPTIONS.split(), "--device", "cpu", "--out", str(Path(folder, "b"))]
        measured = {
            name: peak_megabytes([sys.executable, "-m", "seqmusic", name, *arguments])
            for name, arguments in (("continue", theme), ("train", options))
        }
    return {name: megabytes for name, megabytes in measured.items() if megabytes is not None}


def ratios(report: Mapping[str, Any], peer: str) -> dict[str, float]:
    """How many times faster we are than a peer of the same width and layers.

    A bar of a chorale is some twenty positions here, and 64 cells of the sixteenth grid there.
    """
    decode, training, corpus = report["decode"], report["training"], report["corpus"]
    main = {batch: rates[peer]["positions"]["ratio"] for batch, rates in decode[MAIN_SIZE].items()}
    by_size = {
        f"decode_{batch}_{size}": rates[peer]["positions"]["ratio"]
        for size in SIZES
        for batch, rates in decode[size].items()
    }
    tokens = {
        kind: corpus[f"{kind}_ratio"] for kind in ("encode", "decode") if f"{kind}_ratio" in corpus
    }
    return {
        **{f"decode_{batch}": ratio for batch, ratio in main.items()},
        **by_size,
        "bars": main["batch1"] * CELLS_PER_BAR / corpus["positions_per_bar"],
        "training": training[peer]["positions"]["ratio"],
        "training_pieces": training[f"{peer} on the grid"]["pieces"]["ratio"],
        **tokens,
    }


def _format_summary(report: Mapping[str, Any]) -> str:
    corpus, memory = report["corpus"], report["peak_mb"]
    lines = [
        f"chorales: loaded in {corpus['load_seconds']:.1f} s, "
        f"ready for training in {corpus['prepare_seconds']:.2f} s",
        f"tokens: {corpus['encode_notes_per_second']:,.0f} notes/s encoded, "
        f"{corpus['decode_notes_per_second']:,.0f} decoded; "
        f"{corpus['positions_per_bar']:.1f} positions a bar",
    ]
    lines += [f"peak memory of {name}: {megabytes:,.0f} MB" for name, megabytes in memory.items()]
    lines += [f"times faster, {name}: {ratio:.1f}" for name, ratio in report["ratios"].items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="", help="transformers, x-transformers, or both")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long in all, about")
    arguments = parser.parse_args()
    against = [name for part in arguments.against.split(",") if (name := part.strip())]
    print(json.dumps(benchmark_speed(against, arguments.seconds)))


if __name__ == "__main__":
    main()

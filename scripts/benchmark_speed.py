"""How fast we are, beside what one would use instead, in one run.

What is compared takes turns, so that what else the machine does falls on all alike. Told is the median of the rounds, and of ratios
the median of those within a round. Times are the processor's, with one thread of torch; for numpy set OPENBLAS_NUM_THREADS=1.

    python scripts/benchmark_speed.py --against transformers,x-transformers
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from speed_peers import PEERS, generate_tokens, make_peer, remi, training_step

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.loading import load_corpus
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import MAX_UNCOMPILED_DECODERS, fastest_decoder_class
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.pitch_grid import count_cells
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
_FEWEST_ROUNDS = 3
_BATCH_SIZE = 8  # a batch in training
_SHIPPED_OPTIONS = [
    "--model.layers",
    "2",
    "--model.feedforward",
    "2",
    "--training.batch_size",
    "8",
    "--training.steps",
    "100",
]
# A process inherits the peak of the one that starts it; this one is small.
_LAUNCHER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status != 0)
"""
MeasuredRates = dict[str, Any]


def benchmark_speed(
    against: Sequence[str] = (), seconds: float = 180.0, show: Callable[[str], None] = print
) -> dict[str, Any]:
    """Rates, ratios and memory as plain values; `show` is given a table as it grows.

    Args:
        against: rivals to be compared with, of `speed_rivals.PEERS`; the ratios tell of the first.
        seconds: about how long all comparisons may take; each has three rounds at least.
        show: takes lines for people.

    Raises:
        MissingExtraError: a rival is not installed.
    """
    if unknown := [name for name in against if name not in PEERS]:
        raise ValueError(f"unknown rival {unknown[0]!r}; one of {', '.join(PEERS)}")
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        started = time.perf_counter()
        works = load_corpus(None).works_in("train")
        report: dict[str, Any] = {
            "corpus": {"load_seconds": time.perf_counter() - started, **corpus_figures(works)}
        }
        share = seconds / (len(SIZES) * len(BATCHES) + 2)
        report["decoder"] = fastest_decoder_class().__name__
        show(f"composing with {report['decoder']}")
        report["decode"] = {size: {} for size in SIZES}
        for size, n_rows in product(SIZES, BATCHES):
            report["decode"][size][f"batch{n_rows}"] = decoding_rates(size, n_rows, against, share)
            show(
                _format_rates(
                    f"decode {size} batch {n_rows}", report["decode"][size][f"batch{n_rows}"]
                )
            )
        report["training"] = training_rates(works, against, 2 * share)
        show(_format_rates(f"train {MAIN_SIZE}", report["training"]))
    finally:
        torch.set_num_threads(n_threads)
    report["peak_mb"] = peak_memory()
    report["ratios"] = ratios(report, against[0]) if against else {}
    show(_format_summary(report))
    return report


def decoding_rates(
    size: str, n_rows: int, against: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions a second of `n_rows` pieces composed at once by an untrained model, and tokens a second of the rivals.

    The model likes eighths, quarters and halves, so that its pieces have about as many notes as chorales.
    """
    torch.manual_seed(0)
    model = Transformer(SIZES[size], VOCABULARY).eval()
    with torch.no_grad():
        model.heads.duration.bias[[12, 24, 48]] += torch.tensor([8.0, 10.0, 8.0])
    empty = Score(tuple(Voice(name, ()) for name in SATB))
    prompt = encode_prompt(empty, [[(0, N_BARS * BAR_TICKS)] for _ in SATB])
    seeds = iter(range(1 << 30))
    for _ in range(MAX_UNCOMPILED_DECODERS):  # which a program composes in another way
        complete(
            model,
            encode_prompt(empty, [[(0, BAR_TICKS)] for _ in SATB]),
            Request(n=1),
            Constraints({}),
        )

    def ours() -> dict[str, int]:
        made = complete(model, prompt, Request(n=n_rows, seed=next(seeds)), Constraints({}))
        n_notes = sum(own.score.n_notes for own in made)
        return {
            "positions": sum(own.n_events for own in made),
            "notes": n_notes,
            "bars": N_BARS * n_rows,
        }

    methods: dict[str, Callable[[], dict[str, int]]] = {"ours": ours}
    for name in against:
        peer = make_peer(name, SIZES[size], VOCABULARY.n_sounds)
        methods[name] = lambda peer=peer: {
            "positions": generate_tokens(peer, n_rows, len(prompt), _N_NEW)
        }  # type: ignore[misc]
    return interleaved(methods, seconds)


def training_rates(
    works: Sequence[Work], against: Sequence[str], seconds: float
) -> dict[str, MeasuredRates]:
    """Positions and pieces a second in training; a rival learns sequences as long as ours, and those of the sixteenth grid."""
    settings = TrainingSettings(steps=1 << 30, batch_size=_BATCH_SIZE, evaluate_every=1 << 30)
    data = training_data(works)
    state = new_training_state(Transformer(SIZES[MAIN_SIZE], VOCABULARY), settings)
    drawn: dict[int, list[int]] = {}  # a batch ahead
    lengths: list[int] = []

    def draw(step: int) -> Any:
        traces = draw_batch(data, settings, step)
        drawn[step] = [len(trace.events) - 1 for trace in traces]
        return traces

    steps = train(
        state, settings, draw, lambda model: {"": 0.0}, make_grammar_masks(torch.device("cpu"))
    )

    def ours() -> dict[str, int]:
        next(steps)
        lengths[:] = drawn.pop(state.step - 1)
        return {"positions": sum(lengths), "pieces": len(lengths)}

    methods: dict[str, Callable[[], dict[str, int]]] = {"ours": ours}
    chance = np.random.default_rng(0)
    n_cells = sorted(count_cells(work.score) for work in works)
    for name in against:
        alike, grid = (
            training_step(make_peer(name, SIZES[MAIN_SIZE], VOCABULARY.n_sounds)) for _ in range(2)
        )

        def on_ours(step: Callable[[Any], int] = alike) -> dict[str, int]:
            cut = [
                min(n, SIZES[MAIN_SIZE].context_length) for n in lengths
            ]  # a rival cannot hear more
            return {
                "positions": step([chance.integers(1, 99, n) for n in cut]),
                "pieces": len(lengths),
            }

        def on_grid(step: Callable[[Any], int] = grid) -> dict[str, int]:
            first = int(chance.integers(max(1, len(n_cells) - _BATCH_SIZE)))
            chosen = [
                min(n, SIZES[MAIN_SIZE].context_length)
                for n in n_cells[first : first + _BATCH_SIZE]
            ]
            return {
                "positions": step([chance.integers(1, 48, n) for n in chosen]),
                "pieces": len(chosen),
            }

        methods |= {name: on_ours, f"{name} on the grid": on_grid}
    return interleaved(methods, seconds)


def interleaved(
    methods: Mapping[str, Callable[[], dict[str, int]]], seconds: float
) -> dict[str, MeasuredRates]:
    """Of each method the median rate a second of everything it counts, and the first one's ratio to it.

    The first round warms up and does not count; three more come at least.
    """
    rounds: list[dict[str, dict[str, float]]] = []
    started = time.perf_counter()
    while len(rounds) <= _FEWEST_ROUNDS or time.perf_counter() - started < seconds:
        rounds.append({name: _measure_rates(work) for name, work in methods.items()})
    first, counted = next(iter(methods)), rounds[1:]
    return {
        name: {
            unit: {
                "per_second": median(own[name][unit] for own in counted),
                "ratio": median(own[first][unit] / own[name][unit] for own in counted),
                "rounds": len(counted),
            }
            for unit in rounds[0][name]
        }
        for name in methods
    }


def _measure_rates(work: Callable[[], dict[str, int]]) -> dict[str, float]:
    started = time.process_time()
    counts = work()
    seconds = max(time.process_time() - started, 1e-9)
    return {unit: count / seconds for unit, count in counts.items()}


def corpus_figures(works: Sequence[Work]) -> dict[str, float]:
    """How long the works take to be prepared for training, encoded and decoded, and how many positions a bar of 4/4 has.

    Where MidiTok is installed, it encodes and decodes beside us.
    """
    scores = [work.score for work in works]
    n_notes, events = sum(score.n_notes for score in scores), [encode(score) for score in scores]
    jobs: dict[str, Callable[[], object]] = {
        "encode": lambda: trace_batch(note_columns(scores)),
        "decode": lambda: [decode(own) for own in events],
    }
    started = time.perf_counter()
    data = training_data(works)
    figures = {
        "prepare_seconds": time.perf_counter() - started,
        "positions_per_bar": int(data.pieces.n_notes.sum())
        * BAR_TICKS
        / sum(score.end_ticks for score in scores),
    }
    rivals = remi(scores)
    for kind, own in jobs.items():
        both = {"ours": own} | ({"miditok": rivals[kind]} if rivals else {})
        rates = interleaved(
            {name: partial(_count_notes, job, n_notes) for name, job in both.items()}, 0.0
        )
        figures[f"{kind}_notes_per_second"] = rates["ours"]["notes"]["per_second"]
        if rivals:
            figures[f"miditok_{kind}_notes_per_second"] = rates["miditok"]["notes"]["per_second"]
            figures[f"{kind}_ratio"] = rates["miditok"]["notes"]["ratio"]
    return figures


def _count_notes(job: Callable[[], object], n_notes: int) -> dict[str, int]:
    job()
    return {"notes": n_notes}


def peak_memory() -> dict[str, float]:
    """Largest memory in MB of a process that continues a theme, and of one that trains a model like the one that is shipped."""
    if sys.platform == "win32":
        return {}
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "continue": [
                "continue",
                "C4 D4 E4 F4",
                "--voices",
                "satb",
                "--out",
                str(Path(folder, "a")),
            ],
            "train": [
                "train",
                *_SHIPPED_OPTIONS,
                "--device",
                "cpu",
                "--out",
                str(Path(folder, "b")),
            ],
        }
        measured = {
            name: _peak_megabytes([sys.executable, "-m", "seqmusic", *command])
            for name, command in commands.items()
        }
    return {name: megabytes for name, megabytes in measured.items() if megabytes is not None}


def _peak_megabytes(command: Sequence[str]) -> float | None:
    """None where the process did not end well."""
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], capture_output=True, text=True, check=False
    )
    return (
        None
        if launched.returncode
        else int(launched.stdout) / (1e6 if sys.platform == "darwin" else 1e3)
    )


def ratios(report: Mapping[str, Any], peer: str) -> dict[str, float]:
    """How many times faster we are than a rival of the same width and layers.

    A bar of a chorale is some twenty positions here, and 64 cells of the sixteenth grid there.
    """
    decode, training = report["decode"], report["training"]
    alone = decode[MAIN_SIZE]["batch1"][peer]["positions"]["ratio"]
    return {
        **{
            f"decode_{batch}": own[peer]["positions"]["ratio"]
            for batch, own in decode[MAIN_SIZE].items()
        },
        **{
            f"decode_{batch}_{size}": own[peer]["positions"]["ratio"]
            for size in SIZES
            for batch, own in decode[size].items()
        },
        "bars": alone * CELLS_PER_BAR / report["corpus"]["positions_per_bar"],
        "training": training[peer]["positions"]["ratio"],
        "training_pieces": training[f"{peer} on the grid"]["pieces"]["ratio"],
        **{
            kind: report["corpus"][f"{kind}_ratio"]
            for kind in ("encode", "decode")
            if f"{kind}_ratio" in report["corpus"]
        },
    }


def _format_summary(report: Mapping[str, Any]) -> str:
    corpus, memory = report["corpus"], report["peak_mb"]
    lines = [
        f"chorales: loaded in {corpus['load_seconds']:.1f} s, ready for training in {corpus['prepare_seconds']:.2f} s",
        f"tokens: {corpus['encode_notes_per_second']:,.0f} notes/s encoded, {corpus['decode_notes_per_second']:,.0f} decoded; "
        f"{corpus['positions_per_bar']:.1f} positions a bar",
    ]
    lines += [f"peak memory of {name}: {megabytes:,.0f} MB" for name, megabytes in memory.items()]
    lines += [f"times faster, {name}: {ratio:.1f}" for name, ratio in report["ratios"].items()]
    return "\n".join(lines)


def _format_rates(title: str, methods: Mapping[str, MeasuredRates]) -> str:
    return "\n".join(
        f"{title:<22} {name:<26} {rate['per_second']:>10,.1f} {unit}/s"
        + (f"{rate['ratio']:>8.2f} x" if name != "ours" else "")
        for name, rates in methods.items()
        for unit, rate in rates.items()
    )


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

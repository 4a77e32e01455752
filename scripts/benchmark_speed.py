"""Compare the speed of seqmusic with that of other libraries, in one run.

All methods take turns. Rates are medians over rounds, and ratios are medians of those within a
round. Times are processor time with one thread of torch; for numpy set OPENBLAS_NUM_THREADS=1.

    python scripts/benchmark_speed.py --against transformers,x-transformers
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import speed_rates
import torch
from speed_memory import peak_memory
from speed_peers import PEERS
from speed_rates import MAIN_SIZE, corpus_figures, decoding_rates, training_rates
from speed_rounds import MeasuredRates

from seqmusic.corpus.loading import load_corpus
from seqmusic.model.decoding.decoder import compiled_backend

BATCHES = (1, 16)
CELLS_PER_BAR = 64  # of four voices in 4/4, on the sixteenth grid


def benchmark_speed(peers: Sequence[str] = (), seconds: float = 180.0) -> dict[str, Any]:
    """Measure rates, ratios and memory, and print a table as it grows.

    Args:
        peers: names of PEERS to compare with; the ratios are those to the first.
        seconds: about how long all comparisons take; each has at least three rounds.

    Returns:
        All figures as plain values.

    Raises:
        MissingExtraError: the library of a peer is not installed.
        ValueError: there is no such peer.
    """
    if unknown := [name for name in peers if name not in PEERS]:
        raise ValueError(f"unknown rival {unknown[0]!r}; one of {', '.join(PEERS)}")
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report = _measure(peers, seconds)
    finally:
        torch.set_num_threads(n_threads)
    report["peak_mb"] = peak_memory()
    report["ratios"] = ratios(report, peers[0]) if peers else {}
    print(_summary_text(report), flush=True)
    return report


def _measure(peers: Sequence[str], seconds: float) -> dict[str, Any]:
    started = time.perf_counter()
    works = load_corpus(None).works_in("train")
    corpus = {"load_seconds": time.perf_counter() - started, **corpus_figures(works)}
    decoder = "numba" if compiled_backend() else "numpy"
    print(f"composing with {decoder}", flush=True)
    share = seconds / (len(speed_rates.SIZES) * len(BATCHES) + 2)
    decode: dict[str, dict[str, Any]] = {size: {} for size in speed_rates.SIZES}
    for size, n_rows in product(speed_rates.SIZES, BATCHES):
        rates = decode[size][f"batch{n_rows}"] = decoding_rates(size, n_rows, peers, share)
        print(_rates_text(f"decode {size} batch {n_rows}", rates), flush=True)
    training = training_rates(works, peers, 2 * share)
    print(_rates_text(f"train {MAIN_SIZE}", training), flush=True)
    return {"corpus": corpus, "decoder": decoder, "decode": decode, "training": training}


def ratios(report: Mapping[str, Any], peer: str) -> dict[str, float]:
    """How many times faster we are than a peer of the same width and layers.

    A bar of a chorale has some twenty positions here, and 64 cells on the sixteenth grid there.
    """
    decode, training, corpus = report["decode"], report["training"], report["corpus"]
    alone = decode[MAIN_SIZE]["batch1"][peer]["positions"]["ratio"]
    found = {
        f"decode_{batch}": rates[peer]["positions"]["ratio"]
        for batch, rates in decode[MAIN_SIZE].items()
    }
    for size, batches in decode.items():
        for batch, rates in batches.items():
            found[f"decode_{batch}_{size}"] = rates[peer]["positions"]["ratio"]
    found["bars"] = alone * CELLS_PER_BAR / corpus["positions_per_bar"]
    found["training"] = training[peer]["positions"]["ratio"]
    found["training_pieces"] = training[f"{peer} on the grid"]["pieces"]["ratio"]
    for kind in ("encode", "decode"):
        if f"{kind}_ratio" in corpus:
            found[kind] = corpus[f"{kind}_ratio"]
    return found


def _summary_text(report: Mapping[str, Any]) -> str:
    corpus = report["corpus"]
    lines = [
        f"chorales: loaded in {corpus['load_seconds']:.1f} s, "
        f"ready for training in {corpus['prepare_seconds']:.2f} s",
        f"tokens: {corpus['encode_notes_per_second']:,.0f} notes/s encoded, "
        f"{corpus['decode_notes_per_second']:,.0f} decoded; "
        f"{corpus['positions_per_bar']:.1f} positions per bar",
    ]
    peaks, found = report["peak_mb"], report["ratios"]
    lines += [f"peak memory of {name}: {megabytes:,.0f} MB" for name, megabytes in peaks.items()]
    lines += [f"times faster, {name}: {ratio:.1f}" for name, ratio in found.items()]
    return "\n".join(lines)


def _rates_text(title: str, methods: Mapping[str, MeasuredRates]) -> str:
    lines = []
    for name, rates in methods.items():
        for unit, rate in rates.items():
            line = f"{title:<22} {name:<26} {rate['per_second']:>10,.1f} {unit}/s"
            ratio = "" if name == "ours" else f"{rate['ratio']:>8.2f} x"
            lines.append(line + ratio)
    return "\n".join(lines)


def main() -> None:
    """Measure, and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="", help="transformers, x-transformers, or both")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long in all, about")
    arguments = parser.parse_args()
    peers = [name for part in arguments.against.split(",") if (name := part.strip())]
    print(json.dumps(benchmark_speed(peers, arguments.seconds)))


if __name__ == "__main__":
    main()

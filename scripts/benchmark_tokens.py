"""How fast scores become tokens and come back, here and with MidiTok's REMI, on the same chorales in one run.

    python scripts/benchmark_tokens.py

What is timed, as CPU time of this process, each method once a round and the best round kept:

- encoding from `Score` objects in memory to traces, which hold the events, where each stands, and what else the grammar would have
  allowed there: all works at once (`note_columns` and `trace_batch`), the second half of that alone (from tiles), and work by work
- encoding with REMI from symusic's `Score` objects in memory to token ids, work by work, one sequence a voice: as it is set by
  default, and on our grid of ticks without velocities, so that it says what our tokens say
- decoding to `Score` objects, of either kind, work by work; ours is checked against the grammar event by event

The last line is one JSON object. MidiTok comes with the extra `bench`.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seqmusic.corpus.chorales import load_chorales
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.score import TICKS_PER_QUARTER, Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import decode, encode, normalized

MAX_QUARTERS = 16


@dataclass(frozen=True, slots=True)
class Method:
    """One way to encode or to decode: `prepare` makes its input, which the work may use up, and is not timed."""

    name: str
    prepare: Callable[[], Any]
    work: Callable[[Any], object]


def main() -> int:
    """Exit status: 2 where MidiTok is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="the best of so many is kept (default: 5)"
    )
    parser.add_argument(
        "--works", type=int, default=None, help="only the first so many works (default: all)"
    )
    asked = parser.parse_args()
    try:
        import miditok  # noqa: F401
    except ImportError:
        print(
            "MidiTok is not installed; install it with: pip install 'seqmusic[bench]' (in a clone: '.[bench]')",
            file=sys.stderr,
        )
        return 2
    scores = [work.score for work in load_chorales().kept_works[: asked.works]]
    result = compare(scores, asked.rounds)
    print(result_text(result))
    print(json.dumps(result))
    return 0


def compare(scores: Sequence[Score], rounds: int) -> dict[str, Any]:
    """Notes a second of every method, and how many positions or tokens each needs."""
    from miditok import REMI, TokenizerConfig
    from symusic import Score as MidiScore

    midi = [MidiScore.from_midi(midi_bytes(score)) for score in scores]
    exact = {
        "beat_res": {(0, MAX_QUARTERS): TICKS_PER_QUARTER},
        "use_velocities": False,
        "use_time_signatures": True,
    }
    remi = {
        "REMI, default": REMI(TokenizerConfig()),
        "REMI, our grid": REMI(TokenizerConfig(**exact)),
    }
    tokens = {
        name: [[list(voice.ids) for voice in peer.encode(score)] for score in midi]
        for name, peer in remi.items()
    }
    encoding = [
        *encoding_methods(scores),
        *(Method(name, lambda: midi, map_over(peer.encode)) for name, peer in remi.items()),
    ]
    events = [encode(score) for score in scores]
    decoding = [Method("ours", lambda: events, map_over(decode))]
    decoding += [
        Method(name, partial(copy.deepcopy, tokens[name]), map_over(peer.decode))
        for name, peer in remi.items()
    ]
    n_notes = sum(score.n_notes for score in scores)
    sizes = {"ours": sum(map(len, events))} | {
        name: sum(len(v) for work in own for v in work) for name, own in tokens.items()
    }
    return {
        "works": len(scores),
        "notes": n_notes,
        "rounds": rounds,
        "encode_notes_per_second": {
            name: n_notes / seconds for name, seconds in best_cpu_seconds(encoding, rounds).items()
        },
        "decode_notes_per_second": {
            name: n_notes / seconds for name, seconds in best_cpu_seconds(decoding, rounds).items()
        },
        "per_note": {name: size / n_notes for name, size in sizes.items()},
        "per_work": {name: size / len(scores) for name, size in sizes.items()},
        "exact_works": {
            "ours": sum(
                decode(own) == normalized(score) for own, score in zip(events, scores, strict=True)
            )
        }
        | {
            name: sum(
                track_notes(peer.decode(own)) == track_notes(score)
                for own, score in zip(copy.deepcopy(tokens[name]), midi, strict=True)
            )
            for name, peer in remi.items()
        },
    }


def encoding_methods(scores: Sequence[Score]) -> list[Method]:
    """The ways to encode scores with our tokens."""
    notes = note_columns(scores)
    return [
        Method("ours, all at once", lambda: scores, lambda own: trace_batch(note_columns(own))),
        Method("ours, from tiles", lambda: notes, trace_batch),
        Method(
            "ours, work by work",
            lambda: scores,
            map_over(lambda score: trace_batch(note_columns([score]))),
        ),
    ]


def map_over(work: Callable[[Any], object]) -> Callable[[Any], object]:
    """The work done to each of many."""
    return lambda many: [work(one) for one in many]


def best_cpu_seconds(methods: Sequence[Method], rounds: int) -> dict[str, float]:
    """Least CPU seconds of each method; a round runs all of them, so that what else the machine does falls on all alike."""
    seconds = {method.name: float("inf") for method in methods}
    for _ in range(rounds):
        for method in methods:
            seconds[method.name] = min(seconds[method.name], cpu_seconds(method))
    return seconds


def cpu_seconds(method: Method) -> float:
    """CPU seconds of one run; no garbage is collected meanwhile, or whoever makes most objects would pay for all that lie about."""
    own = method.prepare()
    gc.collect()
    gc.disable()
    start = time.process_time()
    method.work(own)
    seconds = time.process_time() - start
    gc.enable()
    return seconds


def track_notes(score: Any) -> list[list[tuple[float, float, int]]]:
    """The notes of each track of a symusic score: onset and duration in quarters, pitch."""
    quarter = score.ticks_per_quarter
    tracks = [
        sorted((note.time / quarter, note.duration / quarter, note.pitch) for note in track.notes)
        for track in score.tracks
    ]
    return sorted(tracks)


def result_text(result: dict[str, Any]) -> str:
    """The result in lines to be read; the ratio compares with REMI as it is set by default."""
    text = [
        f"{result['works']} works, {result['notes']} notes, CPU time, best of {result['rounds']}"
    ]
    for kind in ("encode", "decode"):
        rates = result[f"{kind}_notes_per_second"]
        ratios = [(name, rate, rate / rates["REMI, default"]) for name, rate in rates.items()]
        text += [
            f"{kind}  {name:<20} {rate:>12,.0f} notes/s {ratio:>8.2f} x"
            for name, rate, ratio in ratios
        ]
    for name, size in result["per_note"].items():
        kind = "positions" if name == "ours" else "tokens"
        exact = f"{result['exact_works'][name]} of {result['works']} works come back exactly"
        text.append(
            f"length  {name:<20} {size:.2f} {kind} a note, {result['per_work'][name]:.0f} a work; {exact}"
        )
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())

"""Compare the speed of our tokens with that of MidiTok's REMI, on the same chorales in one run.

    python scripts/benchmark_tokens.py

Each method runs once in every round, and its best round counts, in processor time of this process:

- encoding `Score` objects to traces, which hold the events, their context, and what the grammar
  allows besides: all works at once (`note_columns` and `trace_batch`), the second half of that
  alone (from note columns), and work by work
- encoding symusic's `Score` objects to token ids with REMI, work by work, one sequence per voice:
  in its default configuration, and on our grid of ticks without velocities, so that its tokens hold
  what ours do
- decoding to `Score` objects of either kind, work by work; ours checks every event by the grammar

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
OURS, DEFAULT_REMI = "ours", "REMI, default"


@dataclass(frozen=True, slots=True)
class Method:
    """A method to encode or to decode.

    Attributes:
        name: of the method.
        prepare: makes its input, which the call may use up; it is not timed.
        call: the timed function.
    """

    name: str
    prepare: Callable[[], Any]
    call: Callable[[Any], object]


def main() -> int:
    """Exit status: 2 if MidiTok is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="how many, of which the best counts (default: 5)"
    )
    parser.add_argument(
        "--works", type=int, default=None, help="how many works, from the first (default: all)"
    )
    arguments = parser.parse_args()
    try:
        import miditok  # noqa: F401
    except ImportError:
        print(
            "MidiTok is not installed; install it with: pip install 'seqmusic[bench]' "
            "(in a clone: '.[bench]')",
            file=sys.stderr,
        )
        return 2
    scores = [work.score for work in load_chorales().kept_works[: arguments.works]]
    result = compare(scores, arguments.rounds)
    print(result_text(result))
    print(json.dumps(result))
    return 0


def compare(scores: Sequence[Score], rounds: int) -> dict[str, Any]:
    """Notes per second of every method, and how many positions or tokens each needs."""
    from symusic import Score as MidiScore

    midi = [MidiScore.from_midi(midi_bytes(score)) for score in scores]
    tokenizers = remi_tokenizers()
    tokens = {
        name: [[list(voice.ids) for voice in tokenizer.encode(score)] for score in midi]
        for name, tokenizer in tokenizers.items()
    }
    events = [encode(score) for score in scores]
    encoding, decoding = encoding_methods(scores), [Method(OURS, lambda: events, map_over(decode))]
    sizes = {OURS: sum(map(len, events))}
    exact = {
        OURS: sum(
            decode(piece) == normalized(score) for piece, score in zip(events, scores, strict=True)
        )
    }
    for name, tokenizer in tokenizers.items():
        encoding.append(Method(name, lambda: midi, map_over(tokenizer.encode)))
        copied = partial(copy.deepcopy, tokens[name])  # decoding changes its input
        decoding.append(Method(name, copied, map_over(tokenizer.decode)))
        sizes[name] = sum(len(voice) for work in tokens[name] for voice in work)
        exact[name] = sum(
            track_notes(tokenizer.decode(work)) == track_notes(score)
            for work, score in zip(copied(), midi, strict=True)
        )
    n_notes = sum(score.n_notes for score in scores)
    return {
        "works": len(scores),
        "notes": n_notes,
        "rounds": rounds,
        "encode_notes_per_second": notes_per_second(encoding, rounds, n_notes),
        "decode_notes_per_second": notes_per_second(decoding, rounds, n_notes),
        "per_note": {name: size / n_notes for name, size in sizes.items()},
        "per_work": {name: size / len(scores) for name, size in sizes.items()},
        "exact_works": exact,
    }


def remi_tokenizers() -> dict[str, Any]:
    """REMI in its default configuration, and on our grid of ticks without velocities."""
    from miditok import REMI, TokenizerConfig

    our_grid = TokenizerConfig(
        beat_res={(0, MAX_QUARTERS): TICKS_PER_QUARTER},
        use_velocities=False,
        use_time_signatures=True,
    )
    return {DEFAULT_REMI: REMI(TokenizerConfig()), "REMI, our grid": REMI(our_grid)}


def encoding_methods(scores: Sequence[Score]) -> list[Method]:
    """The methods to encode scores with our tokens."""
    notes = note_columns(scores)
    return [
        Method("ours, all at once", lambda: scores, lambda works: trace_batch(note_columns(works))),
        Method("ours, from note columns", lambda: notes, trace_batch),
        Method(
            "ours, work by work",
            lambda: scores,
            map_over(lambda score: trace_batch(note_columns([score]))),
        ),
    ]


def map_over(call: Callable[[Any], object]) -> Callable[[Any], object]:
    """A function that calls `call` for each of its inputs."""
    return lambda inputs: [call(item) for item in inputs]


def notes_per_second(methods: Sequence[Method], rounds: int, n_notes: int) -> dict[str, float]:
    """The rate of each method in its best round.

    A round runs all methods, so that other work of the machine affects all alike.
    """
    seconds = {method.name: float("inf") for method in methods}
    for _ in range(rounds):
        for method in methods:
            seconds[method.name] = min(seconds[method.name], cpu_seconds(method))
    return {name: n_notes / best for name, best in seconds.items()}


def cpu_seconds(method: Method) -> float:
    """Processor time of one run, without garbage collection.

    Otherwise a method would also pay for the objects of the others.
    """
    prepared = method.prepare()
    gc.collect()
    gc.disable()
    start = time.process_time()
    method.call(prepared)
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
    """The result as lines of text; ratios are to the default REMI."""
    n_works = result["works"]
    lines = [f"{n_works} works, {result['notes']} notes, CPU time, best of {result['rounds']}"]
    for kind in ("encode", "decode"):
        rates = result[f"{kind}_notes_per_second"]
        for name, rate in rates.items():
            ratio = rate / rates[DEFAULT_REMI]
            lines.append(f"{kind}  {name:<24} {rate:>12,.0f} notes/s {ratio:>8.2f} x")
    for name, size in result["per_note"].items():
        kind = "positions" if name == OURS else "tokens"
        exact, per_work = result["exact_works"][name], result["per_work"][name]
        lines.append(
            f"length  {name:<24} {size:.2f} {kind} per note, {per_work:.0f} per work; "
            f"{exact} of {n_works} works come back exactly"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

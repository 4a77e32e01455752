"""What `seqmusic forever` does with each segment: a line, a file, or MIDI bytes in time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from seqmusic.formats import write_score
from seqmusic.generation.endless.figures import BACH, RunningFigures
from seqmusic.generation.endless.segments import EndlessPiece, Segment
from seqmusic.score import Score
from seqmusic.tonality import key_name


def print_segments(piece: EndlessPiece, segments: Iterable[Segment], out: Path | None) -> None:
    """Print a line for each segment, write its file into `out`, and the figures in the end."""
    figures, stream = RunningFigures(), sys.stdout
    try:
        for segment in segments:
            figures.add(segment.score)
            line = segment_line(piece.seed, segment)
            if out is not None:
                path = out / f"{segment.plan.number:06d}.musicxml"
                line += f"  {write_score(segment.score, path)}"
            print(line, file=stream, flush=True)
    finally:
        shares = figures.shares()
        listed = (f"{name} {shares[name]:.2%} (Bach {BACH[name]:.2%})" for name in BACH)
        print("last segments:", ", ".join(listed), file=stream)


def play_segments(segments: Iterable[Segment]) -> None:
    """Write MIDI bytes to standard output at the moment they sound."""
    start = time.monotonic()
    for segment in segments:
        score, tick_seconds = segment.score, segment.score.seconds_per_tick
        for tick, message in midi_messages(score):
            time.sleep(max(0.0, start + tick * tick_seconds - time.monotonic()))
            sys.stdout.buffer.write(message)
            sys.stdout.buffer.flush()
        start += score.end_ticks * tick_seconds


def midi_messages(score: Score) -> list[tuple[int, bytes]]:
    """(tick, bytes) of the notes of a score, one channel a voice; ends come before beginnings.

    >>> from seqmusic.score import Note, melody
    >>> midi_messages(melody([Note(0, 24, 60)]))
    [(0, b'\\x90<P'), (24, b'\\x80<\\x00')]
    """
    messages = []
    for channel, voice in enumerate(score.voices):
        for note in voice.notes:
            messages.append((note.onset_ticks, 1, bytes((0x90 + channel, note.pitch, 80))))
            messages.append((note.end_ticks, 0, bytes((0x80 + channel, note.pitch, 0))))
    return [(tick, message) for tick, _, message in sorted(messages)]


def segment_line(seed: int, segment: Segment) -> str:
    """A segment in one line: its address, key, theme, and the longest copied passage."""
    plan = segment.plan
    theme = plan.theme if plan.returns is None else f"{plan.theme}, of segment {plan.returns}"
    copied = f"longest passage of a training work: {segment.copied_notes} notes"
    return (
        f"/s/{seed}/{plan.number}  {key_name(plan.key)}, {plan.time_signature}  {theme}; {copied}"
    )


def compose_segments(piece: EndlessPiece, first: int, n: int | None) -> Iterable[Segment]:
    """`n` segments from number `first` on; without end for None."""
    return islice(piece.segments(first), n)

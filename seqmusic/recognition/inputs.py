"""The inputs that a recognizer is tried on: all voices, one of them, or a few notes of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqmusic.recognition.lines import Line
from seqmusic.recognition.works import LabeledWork

WINDOW_NOTES = (64, 32, 16, 8)
INPUT_KINDS = ("all voices", "top voice", "bottom voice", "one voice", *map(str, WINDOW_NOTES))
WHOLE_VOICE_KINDS = ("top voice", "bottom voice", "one voice")


def input_lines(work: LabeledWork, kind: str, rng: np.random.Generator) -> list[Line]:
    """The lines of a work that an input consists of; single ones are never of a keyboard.

    Args:
        work: its whole lines are the input "all voices".
        kind: one of `INPUT_KINDS`; a number stands for so many notes of a voice at random.
        rng: draws the voice and where the notes begin.
    """
    if kind == "all voices":
        return list(work.lines)
    melodies = work.melodies
    if kind == "top voice":
        return melodies[:1]
    if kind == "bottom voice":
        return melodies[-1:]
    line = melodies[int(rng.integers(len(melodies)))]
    return [line] if kind == "one voice" else [random_window(line, int(kind), rng)]


def random_window(line: Line, n_notes: int, rng: np.random.Generator) -> Line:
    """So many notes of a line, from a random one on; the whole line where it has no more."""
    if len(line) <= n_notes:
        return line
    start = int(rng.integers(len(line) - n_notes + 1))
    return line.excerpt(start, start + n_notes)


def training_lines(
    works: Sequence[LabeledWork], rng: np.random.Generator
) -> Iterator[tuple[int, Line]]:
    """Index of the work and line: whole lines, and of each line 64, 32 and 16 notes.

    Of a keyboard part, its highest and its lowest line are taken.
    """
    for i, work in enumerate(works):
        for line in learned_lines(work):
            yield i, line
            for n_notes in WINDOW_NOTES[:3]:
                if len(line) > n_notes:
                    yield i, random_window(line, n_notes, rng)


def learned_lines(work: LabeledWork) -> list[Line]:
    """The melodies of a work, and the outer lines of its keyboard part."""
    keyboard = [line for line in work.lines if line.is_keyboard]
    melodies = [line for line in work.lines if not line.is_keyboard]
    return melodies + (keyboard if len(keyboard) < 2 else [keyboard[0], keyboard[-1]])

"""seqmusic compare: a person compares what a model composes, two candidates at a time."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from seqmusic.alignment.comparing import ComparedModel
    from seqmusic.alignment.preferences import Answer
    from seqmusic.score import Score

_CHOICES = {"a": "A", "b": "B", "e": "equal", "s": "skip"}
_QUIT = "q"


def compare(
    run: Path | None = None,
    /,
    *,
    out: Path = Path("preferences.csv"),
    folder: Path = Path("compared"),
    person: str | None = None,
    n: Annotated[int, Parameter(name="-n")] = 10,
    data: Path | None = None,
) -> None:
    """Show two continuations of the same beginning, ask which is better, and keep the answer.

    Both are written as MIDI files and pictures. One pair of ten comes again with A and B exchanged.
    Ten answers rank candidates (continue --prefer), and a hundred can align a model (align).

    For example: seqmusic compare chorales --out preferences.csv

    Args:
        run: The folder of a trained model, or the name of one that comes with seqmusic.
        out: The file of the answers; if it exists, they are added to it.
        folder: Where the two candidates are written; those before are overwritten.
        person: A name that the answers are kept under; by default the name of the user.
        n: How many pairs.
        data: The corpus the model was trained on, if not the chorales, as for train.
    """
    from seqmusic.alignment.comparing import load_compared_model
    from seqmusic.alignment.preferences import join_preferences

    if n < 1:
        raise ValueError(f"-n must be 1 or more, got {n}")
    name = getpass.getuser() if person is None else person
    answers = join_preferences([out]) if out.is_file() else []
    compared = load_compared_model(run, data)
    for number in range(1, n + 1):
        print(f"pair {number} of {n}")
        answered = _ask_one(compared, answers, name, out, folder)
        if answered is None:
            break
        answers = answered
    print(f"{len(answers)} answers in {out}")


def _ask_one(
    compared: ComparedModel, answers: Sequence[Answer], person: str, out: Path, folder: Path
) -> list[Answer] | None:
    """Show a pair and record what is answered; None to quit."""
    from seqmusic.alignment.comparing import compose_comparison, draw_comparison, record_answer
    from seqmusic.alignment.preferences import Answer

    comparison = draw_comparison(answers, compared, person)
    pair = compose_comparison(compared, comparison)
    for letter, candidate in zip("AB", pair, strict=True):
        print(f"  {letter}: {' '.join(_write_candidate(candidate.score, folder / letter))}")
    started = time.monotonic()
    choice = _read_choice()
    if choice is None:
        return None
    seconds = round(time.monotonic() - started, 1)
    seeds = comparison.seed_a, comparison.seed_b
    answer = Answer(person, compared.checksum, comparison.head, *seeds, choice, seconds)
    return record_answer(out, answer)


def _read_choice() -> str | None:
    """What is answered; None to quit, also where the input ends."""
    while True:
        print("  which is better? A, B, E (equal), S (skip), Q (quit): ", end="", flush=True)
        line = sys.stdin.readline()
        letter = line.strip().lower()[:1]
        if not line or letter == _QUIT:
            return None
        if letter in _CHOICES:
            return _CHOICES[letter]


def _write_candidate(score: Score, stem: Path) -> list[str]:
    """Write a MIDI file and, where possible, a picture; returns their paths."""
    from seqmusic.errors import MissingExtraError
    from seqmusic.formats import write_score

    paths = [str(write_score(score, stem.with_suffix(".mid")))]
    try:
        from seqmusic.formats.image import write_png

        paths.append(str(write_png(score, stem.with_suffix(".png"))))
    except MissingExtraError:
        pass
    return paths

"""Answers of people who compared two continuations, as a file: preferences.csv.

A candidate is known by the work whose beginning it continues, the model and the seed, so the file
holds no music: who has the model composes the same candidates again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from seqmusic.atomic_files import decoded_text, read_bounded, write_atomic
from seqmusic.corpus.works_table import table_text
from seqmusic.errors import PreferenceError

PREFERENCES_FILE = "preferences.csv"
CHOICES = ("A", "B", "equal", "skip")
MIN_ANSWERS_TO_RANK, MIN_ANSWERS_TO_TRAIN = 10, 100
MIN_CONSISTENCY = 0.7  # share of the pairs shown twice on which a person agrees with themself
MIN_REPEATED = 3  # pairs shown twice that consistency is measured on, at least
_MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The choice of a person between two continuations of the same beginning.

    Attributes:
        person: who; "" if unknown.
        model: checksum of the weights of the model that composed both.
        head: name of the work whose beginning both continue.
        seed_a, seed_b: of the candidates that were shown as A and as B.
        choice: one of CHOICES.
        seconds: from hearing of the pair to the answer.
    """

    person: str
    model: str
    head: str
    seed_a: int
    seed_b: int
    choice: str
    seconds: float

    @property
    def pair(self) -> tuple[str, str, int, int]:
        """What was compared, whichever stood first."""
        first, second = sorted((self.seed_a, self.seed_b))
        return self.model, self.head, first, second

    @property
    def preferred_seed(self) -> int | None:
        """Seed of the preferred candidate; None where neither is."""
        return {"A": self.seed_a, "B": self.seed_b}.get(self.choice)

    @property
    def other_seed(self) -> int | None:
        """Seed of the candidate that is not preferred; None where neither is."""
        return {"A": self.seed_b, "B": self.seed_a}.get(self.choice)


_COLUMNS = [field.name for field in fields(Answer)]


def write_preferences(path: Path, answers: Sequence[Answer]) -> Path:
    """Write the answers; returns the path.

    Raises:
        FormatError: the file cannot be written.
    """
    return write_atomic(path, table_text(_COLUMNS, [astuple(answer) for answer in answers]))


def read_preferences(path: Path) -> list[Answer]:
    """The answers of a file.

    Raises:
        FormatError: the file cannot be read.
        PreferenceError: it is no file of preferences, or a line of it is damaged.
    """
    rows = csv.DictReader(io.StringIO(decoded_text(read_bounded(path, _MAX_BYTES))))
    try:
        names = rows.fieldnames or []
        if list(names) != _COLUMNS:
            raise PreferenceError(
                f"{path}: is no file of preferences, its first line must be {','.join(_COLUMNS)}; "
                "seqmusic compare writes one"
            )
        return list(_parsed(path, rows))
    except csv.Error as error:
        raise PreferenceError(f"{path}: is no file of preferences ({error})") from error


def join_preferences(paths: Sequence[Path]) -> list[Answer]:
    """The answers of several files, each answer once; a person without a name gets the file's.

    Raises:
        FormatError, PreferenceError: as `read_preferences`.
    """
    joined = [
        answer if answer.person else Answer(path.stem, *astuple(answer)[1:])
        for path in paths
        for answer in read_preferences(path)
    ]
    return list(dict.fromkeys(joined))


def decisive(answers: Sequence[Answer]) -> list[Answer]:
    """The answers that prefer one of the two."""
    return [answer for answer in answers if answer.preferred_seed is not None]


def consistency(answers: Sequence[Answer]) -> tuple[int, int]:
    """Pairs on which a person who saw them twice prefers the same again, and all such pairs.

    >>> first = Answer("Anna", "c0ffee", "bwv1.6", 3, 8, "A", 20.0)
    >>> consistency([first, Answer("Anna", "c0ffee", "bwv1.6", 8, 3, "B", 9.0)])
    (1, 1)
    """
    seen: dict[tuple[object, ...], int | None] = {}
    n_same = n_repeated = 0
    for answer in decisive(answers):
        key = (answer.person, *answer.pair)
        if key in seen:
            n_repeated += 1
            n_same += seen[key] == answer.preferred_seed
        seen.setdefault(key, answer.preferred_seed)
    return n_same, n_repeated


def check_preferences(answers: Sequence[Answer], model: str, least: int) -> list[Answer]:
    """The decisive answers, if they can be learned from.

    Args:
        answers: of one person or of several.
        model: checksum of the model that is to learn.
        least: decisive answers that are needed.

    Raises:
        PreferenceError: they are about another model, too few, or contradict themselves.
    """
    if other := next((answer.model for answer in answers if answer.model != model), None):
        raise PreferenceError(
            f"the preferences are about another model (checksum {other}, here {model}); "
            "compare again with this one"
        )
    found = decisive(answers)
    if len(found) < least:
        advice = ""
        if least >= MIN_ANSWERS_TO_TRAIN and len(found) >= MIN_ANSWERS_TO_RANK:
            advice = "; fewer can rank candidates: seqmusic continue ... --prefer FILE"
        raise PreferenceError(
            f"the preferences hold {len(found)} answers for one of the two, "
            f"and {least} are needed{advice}"
        )
    for person in dict.fromkeys(answer.person for answer in answers):
        _check_person(person, [answer for answer in answers if answer.person == person])
    return found


def _check_person(person: str, answers: Sequence[Answer]) -> None:
    n_same, n_repeated = consistency(answers)
    if n_repeated >= MIN_REPEATED and n_same < MIN_CONSISTENCY * n_repeated:
        raise PreferenceError(
            f"the answers of {person or 'this person'} contradict themselves: of {n_repeated} "
            f"pairs shown twice, the same was preferred in {n_same}, and "
            f"{MIN_CONSISTENCY:.0%} are needed; leave these answers out"
        )


def _parsed(path: Path, rows: csv.DictReader[str]) -> Iterator[Answer]:
    for row in rows:
        try:
            answer = Answer(
                row["person"],
                row["model"],
                row["head"],
                int(row["seed_a"]),
                int(row["seed_b"]),
                row["choice"],
                float(row["seconds"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise PreferenceError(f"{path}: line {rows.line_num} is damaged ({error})") from error
        if answer.choice not in CHOICES or min(answer.seed_a, answer.seed_b) < 0:
            raise PreferenceError(
                f"{path}: line {rows.line_num} must have seeds of 0 or more and a choice of "
                f"{', '.join(CHOICES)}, got {answer.choice!r}"
            )
        yield answer

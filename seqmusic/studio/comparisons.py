"""Comparing by ear on the page: the answers go into preferences.csv, as with `seqmusic compare`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from seqmusic.alignment.comparing import (
    ComparedModel,
    Comparison,
    compose_comparison,
    draw_comparison,
    load_compared_model,
    record_answer,
    taste_of,
)
from seqmusic.alignment.passages import Continued
from seqmusic.alignment.preferences import (
    CHOICES,
    MIN_ANSWERS_TO_RANK,
    MIN_ANSWERS_TO_TRAIN,
    PREFERENCES_FILE,
    Answer,
    consistency,
    decisive,
    join_preferences,
)
from seqmusic.alignment.taste import Taste
from seqmusic.score_data import score_to_data
from seqmusic.studio.errors import StudioError

PERSON = "studio"
MIN_ANSWERS = 4  # decisive ones, before anything is said about a taste
_MAX_PAIRS = 60  # of the latest answers, composed again for the taste
_Pair = tuple[Continued, Continued]


class Comparisons:
    """The comparisons of a server's model. All methods may be called from any thread.

    Args:
        folder: of preferences.csv.
        model: the folder of the model.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        self._path = folder / PREFERENCES_FILE
        self._folder = model
        self._lock = threading.Lock()
        self._model: ComparedModel | None = None
        self._pairs: dict[tuple[str, int, int], _Pair] = {}

    def draw(self) -> dict[str, Any]:
        """What is compared next, with both candidates.

        Raises:
            CorpusError, PreferenceError, RequestError: there is nothing to compare.
        """
        with self._lock:
            model = self._compared()
            comparison = draw_comparison(self._answers(), model, PERSON)
            first, second = self._compose(comparison)
            opening = first.score.end_ticks - first.passage.end_ticks
            return {
                "head": comparison.head,
                "seed_a": comparison.seed_a,
                "seed_b": comparison.seed_b,
                "a": score_to_data(first.score),
                "b": score_to_data(second.score),
                "given_ticks": max(0, opening),
                "n_answers": len(self._answers()),
            }

    def answer(self, comparison: Comparison, choice: str, seconds: float) -> dict[str, Any]:
        """Keep an answer, and return what all answers so far say.

        Raises:
            StudioError: there is no such choice, or this was not compared.
            PreferenceError, FormatError: the file cannot be read or written.
        """
        with self._lock:
            model = self._compared()
            key = (comparison.head, comparison.seed_a, comparison.seed_b)
            if choice not in CHOICES or key not in self._pairs:
                raise StudioError("request", "answer what was compared last: A, B, equal or skip")
            seeds = comparison.seed_a, comparison.seed_b
            one = Answer(PERSON, model.checksum, comparison.head, *seeds, choice, seconds)
            return self._summary(record_answer(self._path, one), key)

    def _summary(self, answers: list[Answer], key: tuple[str, int, int]) -> dict[str, Any]:
        latest = [a for a in decisive(answers) if a.model == self._compared().checksum]
        agreed, repeated = consistency(answers)
        values: dict[str, Any] = {
            "n_answers": len(answers),
            "n_decisive": len(decisive(answers)),
            "to_rank": MIN_ANSWERS_TO_RANK,
            "to_align": MIN_ANSWERS_TO_TRAIN,
            "consistency": [agreed, repeated],
            "sentences": [],
            "file": str(self._path),
        }
        if len(latest) >= MIN_ANSWERS:
            taste = self._taste(latest[-_MAX_PAIRS:])
            first, second = self._pairs[key]
            values["sentences"] = taste.sentences()
            values["lead_a"] = taste.score(first.passage) - taste.score(second.passage)
        return values

    def _taste(self, answers: list[Answer]) -> Taste:
        pairs = []
        for answer in answers:
            assert answer.preferred_seed is not None
            assert answer.other_seed is not None
            one = Comparison(answer.head, answer.preferred_seed, answer.other_seed)
            pairs.append(self._compose(one))
        return taste_of(pairs)

    def _compose(self, comparison: Comparison) -> _Pair:
        key = (comparison.head, comparison.seed_a, comparison.seed_b)
        if key not in self._pairs:
            turned = (comparison.head, comparison.seed_b, comparison.seed_a)
            if turned in self._pairs:
                first, second = self._pairs[turned]
                self._pairs[key] = second, first
            else:
                self._pairs[key] = compose_comparison(self._compared(), comparison)
            while len(self._pairs) > 4 * _MAX_PAIRS:
                del self._pairs[next(iter(self._pairs))]
        return self._pairs[key]

    def _answers(self) -> list[Answer]:
        return join_preferences([self._path]) if self._path.is_file() else []

    def _compared(self) -> ComparedModel:
        if self._model is None:
            self._model = load_compared_model(self._folder)
        return self._model

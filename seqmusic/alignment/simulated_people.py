"""People of whom it is known what they prefer, to see how many answers reveal it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.alignment.comparing import ComparedModel, compose_comparison, draw_comparison
from seqmusic.alignment.measures import MEASURES, measure_values
from seqmusic.alignment.passages import MODEL_ALONE, continue_passage
from seqmusic.alignment.preferences import Answer, decisive
from seqmusic.alignment.taste import Taste
from seqmusic.array_types import Floats
from seqmusic.errors import RequestError
from seqmusic.evaluation.samples import Opening
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.progress import track
from seqmusic.score import Score

_SECONDS = 1.0  # of each answer


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Someone who prefers more of one measure, and errs.

    Attributes:
        measure: name of one of MEASURES.
        sign: 1 for more of it, -1 for less.
        error_rate: share of the answers that are wrong, 0..1.
        seed: of the errors.
    """

    measure: str
    sign: int = 1
    error_rate: float = 0.2
    seed: int = 0

    @property
    def name(self) -> str:
        """What the person prefers.

        >>> SimulatedPerson("stepwise motion", -1).name
        'less stepwise motion'
        """
        return f"{'more' if self.sign > 0 else 'less'} {self.measure}"

    def values(self, scores: Sequence[Score]) -> Floats:
        """(N,) how much there is of what the person prefers; nan where the measure says nothing."""
        column = [measure.name for measure in MEASURES].index(self.measure)
        found: Floats = self.sign * measure_values(scores)[:, column]
        return found

    def choice(self, first: Score, second: Score, rng: np.random.Generator) -> str:
        """A, B, or equal where the measure does not tell them apart."""
        a, b = np.nan_to_num(self.values([first, second]))
        if a == b:
            return "equal"
        is_wrong = rng.uniform() < self.error_rate
        return "A" if (a > b) != is_wrong else "B"


def simulate_answers(person: SimulatedPerson, compared: ComparedModel, n: int) -> list[Answer]:
    """Answers of a person until `n` of them are decisive; no pair is shown twice."""
    rng = np.random.default_rng(person.seed)
    answers: list[Answer] = []
    for n_missing in track(range(n, 0, -1), f"asking for {person.name}", "answer"):
        while len(decisive(answers)) <= n - n_missing:
            answers.append(_next_answer(person, compared, answers, rng))
    return answers


def _next_answer(
    person: SimulatedPerson,
    compared: ComparedModel,
    answers: Sequence[Answer],
    rng: np.random.Generator,
) -> Answer:
    # Each answer has a different name, so that no pair is shown twice to the same person.
    name = f"{person.name} {len(answers)}"
    comparison = draw_comparison(answers, compared, name, person.seed)
    try:
        first, second = compose_comparison(compared, comparison)
        choice = person.choice(first.passage, second.passage, rng)
    except RequestError:
        choice = "skip"
    seeds = comparison.seed_a, comparison.seed_b
    return Answer(name, compared.checksum, comparison.head, *seeds, choice, _SECONDS)


def compose_for_ranking(
    model: DecodableModel, heads: Sequence[Opening], n: int, seed: int
) -> list[list[Score]]:
    """`n` candidates of each beginning, without the beginning itself."""
    return [
        [
            found.passage
            for found in continue_passage(
                model, head, replace(MODEL_ALONE, n=n, seed=seed + number)
            )
        ]
        for number, head in enumerate(track(heads, "composing", "passage"))
    ]


def ranking_shift(
    person: SimulatedPerson, taste: Taste, groups: Sequence[Sequence[Score]]
) -> tuple[float, float]:
    """How much more of what a person prefers the candidates have that a taste ranks first.

    Returns:
        The mean difference to all candidates of the same beginning, and its standard error; both in
        standard deviations of the measure over all candidates.
    """
    differences, everything = [], []
    for group in groups:
        values = person.values(group)
        best = max(range(len(group)), key=lambda number: taste.score(group[number]))
        everything += values.tolist()
        if np.isfinite(values[best]):
            differences.append(values[best] - np.nanmean(values))
    spread = float(np.nanstd(everything))
    mean, error = _mean_and_error(differences)
    return mean / spread, error / spread


def model_shift(
    person: SimulatedPerson, before: Sequence[Score], after: Sequence[Score]
) -> tuple[float, float]:
    """How much more of what a person prefers a model composes after an alignment than before.

    Returns:
        The difference of the means and its standard error, in standard deviations of the measure
        over the candidates before.
    """
    old, new = person.values(before), person.values(after)
    spread = float(np.nanstd(old))
    (old_mean, old_error), (new_mean, new_error) = (
        _mean_and_error(values[np.isfinite(values)].tolist()) for values in (old, new)
    )
    error = float(np.hypot(old_error, new_error))
    return (new_mean - old_mean) / spread, error / spread


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    array = np.asarray(values, np.float64)
    return float(array.mean()), float(array.std() / np.sqrt(max(1, len(array))))

"""Comparing by ear: which two continuations a person compares, and how an answer is kept.

Nothing here knows a terminal or a page; both call these functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seqmusic.alignment.optimization import PreferencePair
from seqmusic.alignment.passages import MODEL_ALONE, Continued, continue_passage, first_passage
from seqmusic.alignment.preferences import (
    MIN_ANSWERS_TO_RANK,
    Answer,
    check_preferences,
    decisive,
    join_preferences,
    read_preferences,
    write_preferences,
)
from seqmusic.alignment.taste import Taste, fit_taste
from seqmusic.errors import CorpusError, PreferenceError, RequestError
from seqmusic.evaluation.samples import Opening
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.model.decoding.decoder import DecodableModel, prepare_for_decoding
from seqmusic.progress import track
from seqmusic.runs.pretrained import model_folder, vocabulary_from_dict
from seqmusic.runs.weights import checksum, read_weights

GIVEN_BARS, COMPOSED_BARS = 2, 6  # of what is compared
REPEAT_EVERY = 10  # one pair of so many was shown before, in the other order
_MAX_SEED = 2**31


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two candidates to compare.

    Attributes:
        head: name of the work whose beginning both continue.
        seed_a, seed_b: of the candidates, in the order in which they are shown.
    """

    head: str
    seed_a: int
    seed_b: int


@dataclass(frozen=True, slots=True, eq=False)
class ComparedModel:
    """A model whose candidates are compared.

    Attributes:
        model: ready to compose.
        checksum: of its weights.
        heads: the beginnings that are continued, by the names of their works: two bars of eight.
    """

    model: DecodableModel
    checksum: str
    heads: Mapping[str, Opening]


def load_compared_model(run: Path | None = None, data: Path | None = None) -> ComparedModel:
    """A model with the beginnings of its training works.

    Args:
        run: the folder of a run, or the name of a model that comes with seqmusic; None is the
            default.
        data: the corpus that it was trained on, if not the chorales.

    Raises:
        CheckpointError: there is no such model.
        CorpusError: there is no such corpus, or no training work has eight bars.
    """
    return compared_model(load_subject(run, "train", data))


def compared_model(subject: Subject) -> ComparedModel:
    """The model of a subject with the beginnings of its training works.

    Raises:
        CorpusError: no training work has eight bars.
    """
    works = subject.dataset.works_in("train")
    found = {work.name: first_passage(work.score, GIVEN_BARS, COMPOSED_BARS) for work in works}
    heads = {name: opening for name, opening in found.items() if opening is not None}
    if not heads:
        raise CorpusError(f"no training work has {GIVEN_BARS + COMPOSED_BARS} bars to compare")
    model = prepare_for_decoding(subject.model)
    return ComparedModel(model, model_checksum(subject.folder), heads)


def model_checksum(run: Path | None) -> str:
    """The checksum of the weights of a model, which a file of preferences names.

    Raises:
        CheckpointError: there is no such model.
    """
    _, _, weights = read_weights(model_folder(run), vocabulary_from_dict)
    return f"{checksum(weights):08x}"


def draw_comparison(
    answers: Sequence[Answer], compared: ComparedModel, person: str, seed: int = 0
) -> Comparison:
    """What a person compares next; the same for the same answers so far.

    Every tenth pair is one that the person has compared before, with A and B exchanged.

    Args:
        answers: all answers so far, in their order.
        compared: the model.
        person: who compares.
        seed: of the order of the pairs.
    """
    earlier = [answer for answer in answers if answer.person == person]
    is_repeat = len(earlier) % REPEAT_EVERY == REPEAT_EVERY - 1
    if is_repeat and (repeated := _unrepeated(earlier)):
        return Comparison(repeated.head, repeated.seed_b, repeated.seed_a)
    rng = np.random.default_rng([seed, len(earlier), *person.encode()])
    names = sorted(compared.heads)
    first, second = rng.choice(_MAX_SEED, size=2, replace=False).tolist()
    return Comparison(names[int(rng.integers(len(names)))], first, second)


def compose_comparison(
    compared: ComparedModel, comparison: Comparison
) -> tuple[Continued, Continued]:
    """The two candidates of a comparison.

    Raises:
        PreferenceError: the corpus has no such work.
        RequestError: the model reaches no end.
    """
    opening = compared.heads.get(comparison.head)
    if opening is None:
        raise PreferenceError(
            f"no training work of this model with a long enough beginning is called "
            f"{comparison.head!r}"
        )
    found = []
    for seed in (comparison.seed_a, comparison.seed_b):
        candidates = continue_passage(compared.model, opening, replace(MODEL_ALONE, n=1, seed=seed))
        if not candidates:
            raise RequestError(f"{comparison.head}: the model reaches no end with seed {seed}")
        found += candidates
    return found[0], found[1]


def record_answer(path: Path, answer: Answer) -> list[Answer]:
    """Add an answer to a file, which is created if it is missing; returns all of its answers.

    Raises:
        FormatError: the file cannot be read or written.
        PreferenceError: it is no file of preferences.
    """
    answers = [*(read_preferences(path) if path.is_file() else []), answer]
    write_preferences(path, answers)
    return answers


def compose_answers(
    compared: ComparedModel, answers: Sequence[Answer]
) -> list[tuple[Continued, Continued]]:
    """What each decisive answer prefers and what it does not, composed again.

    Pairs that the model cannot compose again are left out.

    Raises:
        PreferenceError: the corpus has no such work.
    """
    pairs = []
    for answer in track(decisive(answers), "composing what was compared", "pair"):
        assert answer.preferred_seed is not None
        assert answer.other_seed is not None
        one = Comparison(answer.head, answer.preferred_seed, answer.other_seed)
        try:
            pairs.append(compose_comparison(compared, one))
        except RequestError:
            continue
    return pairs


def taste_of(pairs: Sequence[tuple[Continued, Continued]]) -> Taste:
    """The taste that the preferences show.

    Raises:
        PreferenceError: there is no pair.
    """
    if not pairs:
        raise PreferenceError("the preferences hold no pair that the model can compose again")
    preferred, others = zip(*((a.passage, b.passage) for a, b in pairs), strict=True)
    return fit_taste(preferred, others)


def read_taste(paths: Sequence[Path], run: Path | None, data: Path | None = None) -> Taste:
    """The taste of the people who answered some files about a model, to rank candidates by.

    Args:
        paths: of one file or several.
        run: the model, as in `load_compared_model`.
        data: its corpus.

    Raises:
        PreferenceError: nothing can be learned from the preferences.
        FormatError: a file cannot be read.
        CheckpointError, CorpusError: as in `load_compared_model`.
    """
    answers = join_preferences(paths)
    check_preferences(answers, model_checksum(run), MIN_ANSWERS_TO_RANK)
    return taste_of(compose_answers(load_compared_model(run, data), answers))


def answered_pairs(pairs: Sequence[tuple[Continued, Continued]]) -> list[PreferencePair]:
    """The pairs as sequences to learn from."""
    return [PreferencePair(a.sequence, b.sequence) for a, b in pairs]


def _unrepeated(answers: Sequence[Answer]) -> Answer | None:
    """The first decisive answer about a pair that was shown only once."""
    pairs = [answer.pair for answer in answers]
    return next((answer for answer in decisive(answers) if pairs.count(answer.pair) == 1), None)

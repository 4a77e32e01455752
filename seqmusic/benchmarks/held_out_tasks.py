"""Tasks on held-out chorales: what a model composes for each, beside what Bach wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import RequestError
from seqmusic.evaluation.samples import Opening, find_openings
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompts import MAX_PIECE_BARS, Prompt, harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.progress import ProgressBar
from seqmusic.score import SATB, Score

CONTINUATION, HARMONIZATION, FREE = "continuation", "harmonization", "free composition"
TASKS: Mapping[str, str] = {
    CONTINUATION: "two bars are given, and where the piece ends",
    HARMONIZATION: "the soprano is given",
    FREE: "meter, key and length are given",
}


@dataclass(frozen=True, slots=True)
class Chorale:
    """A chorale in four voices whose soprano sounds to the end.

    Attributes:
        score: with its fermatas.
        family: the number of its tune family.
        opening: its first two bars, with the whole work as tokens express it.
    """

    score: Score
    family: int
    opening: Opening


@dataclass(frozen=True, slots=True)
class Pair:
    """The same passage by Bach and by a model.

    Attributes:
        family: the number of the work's tune family.
        written: what Bach wrote.
        composed: what the model composed.
    """

    family: int
    written: Score
    composed: Score


def four_part_chorales(dataset: Dataset, splits: Sequence[str]) -> list[Chorale]:
    """The works of some splits in four voices, whose soprano sounds to the end.

    Works that a model cannot continue are left out, see `find_openings`.
    """
    found = []
    for work in (work for split in splits for work in dataset.works_in(split)):
        score = work.score
        openings = find_openings([score], max_bars=MAX_PIECE_BARS)
        names = tuple(voice.name for voice in score.voices)
        if openings and names == SATB and score.voices[0].end_ticks == score.end_ticks:
            found.append(Chorale(score, work.family, openings[0]))
    return found


def compose_pairs(
    model: DecodableModel,
    task: str,
    works: Sequence[Chorale],
    request: Request,
    bar: ProgressBar,
) -> list[Pair]:
    """What a model composes for a task, one candidate a work, beside the works.

    A work that the request cannot be met for is left out. Only the given soprano of a harmonization
    has fermatas: those of a work's other passages are left out, so that both have the same.
    """
    pairs = []
    for number, work in enumerate(works):
        one = replace(request, n=1, seed=request.seed + number)
        try:
            candidates = compose_candidates(model, task_prompt(task, work), one)
        except RequestError:
            candidates = []
        for candidate in candidates:
            written, composed = work.opening.work, candidate.score
            if task == CONTINUATION:
                written, composed = map(work.opening.continuation, (written, composed))
            if task == HARMONIZATION:
                written, composed = (_with_soprano(score, work) for score in (written, composed))
            pairs.append(Pair(work.family, written, composed))
        bar.update()
    return pairs


def task_prompt(task: str, work: Chorale) -> Prompt:
    """What is given of a work for one of TASKS."""
    return _PROMPTS[task](work)


def _with_soprano(score: Score, work: Chorale) -> Score:
    """The score with the soprano as written, which has fermatas."""
    return replace(score, voices=(work.score.voices[0], *score.voices[1:]))


def _continuation_prompt(work: Chorale) -> Prompt:
    return work.opening.prompt


def _harmonization_prompt(work: Chorale) -> Prompt:
    return harmonization_prompt(work.opening.work, SATB[:1])


def _free_prompt(work: Chorale) -> Prompt:
    score = work.opening.work
    empty = tuple(replace(voice, notes=()) for voice in score.voices)
    return Prompt(replace(score, voices=empty), (((0, score.end_ticks),),) * len(SATB))


_PROMPTS: Mapping[str, Callable[[Chorale], Prompt]] = {
    CONTINUATION: _continuation_prompt,
    HARMONIZATION: _harmonization_prompt,
    FREE: _free_prompt,
}

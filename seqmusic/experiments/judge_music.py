"""What a judge learns from: training works, and what the model composes for parts of them.

The model continues the first two bars of the works and harmonizes their sopranos. In a second round
it composes with the judge of the first one, and another judge learns what that one does not see;
the two together are the judge of the second round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from seqmusic.benchmarks.held_out_tasks import CONTINUATION, HARMONIZATION, Chorale, task_prompt
from seqmusic.errors import RequestError
from seqmusic.experiments.judge_training import (
    FramedPiece,
    JudgeSettings,
    judge_auc,
    train_judge,
)
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.request import Request
from seqmusic.generation.search.frames import FRAME_TICKS, layout_of, score_frames
from seqmusic.generation.search.judge import Judge, joined
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.progress import track
from seqmusic.score import Score

JUDGE_TASKS = (CONTINUATION, HARMONIZATION)


@dataclass(frozen=True, slots=True, eq=False)
class JudgeMusic:
    """Music of one task.

    Attributes:
        bach: what Bach wrote.
        composed: what the model composed for the same prompts.
    """

    bach: list[FramedPiece]
    composed: list[FramedPiece]


def train_judge_in_rounds(
    model: ArrayModel,
    works: Sequence[Chorale],
    held_out: Sequence[Chorale],
    requests: Sequence[Request],
    settings: JudgeSettings,
) -> Iterator[tuple[Judge, dict[str, float]]]:
    """The judge after each round, and its accuracy on held-out works.

    The accuracy is the AUC, task by task, between what Bach wrote and what the model composes with
    the judge of the round before.

    Args:
        model: a trained model; its own judge is ignored.
        works: those that it was trained on.
        held_out: works of other tunes.
        requests: how the model composes in each round; the first one without effort.
        settings: how each network is trained.
    """
    judge: Judge | None = None
    for number, request in enumerate(requests):
        composing = replace(model, judge=judge.arrays() if judge else None)
        music = {task: judge_music(composing, works, task, request) for task in JUDGE_TASKS}
        one = train_judge(
            [piece for kind in music.values() for piece in kind.bach],
            [piece for kind in music.values() for piece in kind.composed],
            replace(settings, seed=settings.seed + number),
        )
        test = {task: judge_music(composing, held_out, task, request) for task in JUDGE_TASKS}
        judge = joined(judge, one) if judge else one
        yield judge, {task: judge_auc(one, kind.bach, kind.composed) for task, kind in test.items()}


def judge_music(
    model: ArrayModel, works: Sequence[Chorale], task: str, request: Request
) -> JudgeMusic:
    """What a model composes for a task with each of some works, and the works themselves.

    Works whose request cannot be met are left out.
    """
    bach, composed = [], []
    for number, work in track(enumerate(works), f"composing: {task}", "work", len(works)):
        given_ticks = work.opening.end_ticks if task == CONTINUATION else 0
        one = replace(request, seed=request.seed + number)
        try:
            candidates = compose_candidates(model, task_prompt(task, work), one)
        except RequestError:
            continue
        bach += framed_pieces([work.opening.work], given_ticks)
        composed += framed_pieces([candidate.score for candidate in candidates], given_ticks)
    return JudgeMusic(bach, composed)


def framed_pieces(scores: Sequence[Score], given_ticks: int) -> list[FramedPiece]:
    """Scores as frames, of which those that begin before `given_ticks` do not count.

    Scores that a judge cannot read are left out.
    """
    pieces = []
    for score in scores:
        layout = layout_of(score)
        if layout is not None:
            first = max(0, -(-(given_ticks - layout.first_tick) // FRAME_TICKS))
            pieces.append(FramedPiece(score_frames(score, layout), first))
    return pieces

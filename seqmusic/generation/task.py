"""Tasks: to continue, to harmonize, to regenerate; and a run's settings as text for its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from seqmusic.generation.prompts import (
    Prompt,
    continuation_prompt,
    harmonization_prompt,
    regeneration_prompt,
)
from seqmusic.generation.request import Request
from seqmusic.generation.requested_voices import default_voices
from seqmusic.score import Score
from seqmusic.score_data import data_to_score, score_to_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be done with a score; each task uses the fields it needs.

    Attributes:
        name: continue, harmonize or regenerate.
        bars: to continue: how many in all; to regenerate: the first and the last, None for all.
        voices: to continue: melody, satb or how many, by default what suits the score; to
            harmonize: which are given; to regenerate: which are composed anew.
        scatter: to regenerate: the share of the notes drawn in each round; 0 for all at once.
        rounds: to regenerate: how many.
        style: to continue and harmonize: the name of one that the model has learned; "" for none.
    """

    name: str
    bars: int | tuple[int, int] | None = None
    voices: tuple[str, ...] = ()
    scatter: float = 0.0
    rounds: int = 1
    style: str = ""

    def prompt(self, score: Score, model_voices: Sequence[str]) -> Prompt:
        """The prompt of the task for a score and a model with those voices.

        Raises:
            RequestError: the task cannot be done with this score.
            ValueError: there is no such task, or its bars are those of another one.
        """
        if self.name == "continue" and isinstance(self.bars, int):
            (voices,) = self.voices or (default_voices(score, model_voices),)
            return continuation_prompt(score, self.bars, voices, model_voices)
        if self.name == "harmonize":
            return harmonization_prompt(score, self.voices, model_voices)
        if self.name == "regenerate" and not isinstance(self.bars, int):
            return regeneration_prompt(score, self.bars, self.voices, model_voices)
        raise ValueError(f"no such task: {self}")


def run_to_json(task: Task, score: Score, model: str, request: Request) -> str:
    """All that a run depends on, as one line of JSON."""
    data = {
        "task": asdict(task),
        "score": score_to_data(score),
        "model": model,
        "request": asdict(request),
    }
    return json.dumps(data)


def json_to_run(text: str) -> tuple[Task, Score, str, Request]:
    """Task, score, model and request of a run, the inverse of `run_to_json`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the text holds no run.
    """
    data = json.loads(text)
    # Files of versions without a search say nothing of the effort.
    task, request = dict(data["task"]), {"effort": 0, **data["request"]}
    if isinstance(task["bars"], list):
        task["bars"] = tuple(task["bars"])
    task["voices"], request["compass"] = tuple(task["voices"]), tuple(request["compass"])
    return Task(**task), data_to_score(data["score"]), str(data["model"]), Request(**request)

"""What all routes share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from seqmusic.formats.theme import parse_theme
from seqmusic.score_data import score_to_data
from seqmusic.studio.composing_queue import ComposingQueue
from seqmusic.studio.endless_pieces import EndlessPieces
from seqmusic.studio.learning import Learning
from seqmusic.studio.models import DEFAULT_NAME, Models
from seqmusic.studio.score_client import ScoreClient
from seqmusic.studio.session_files import SessionFiles
from seqmusic.studio.settings import StudioSettings


@dataclass(frozen=True, slots=True)
class Studio:
    """The parts of a running server; what takes seconds has a thread beside that of composing."""

    settings: StudioSettings
    scores: ScoreClient
    models: Models
    queue: ComposingQueue
    long_work: ComposingQueue
    sessions: SessionFiles
    endless: EndlessPieces
    learning: Learning

    async def warm_up(self) -> None:
        """Load what the first page would wait for: the model and the engraver."""
        example = score_to_data(parse_theme("C4"))
        model = self.queue.run(partial(self.models.array_model, DEFAULT_NAME))
        view = self.scores.ask(task="view", score=example, given=None, width=800, marks=None)
        await asyncio.gather(model, view)

    async def close(self) -> None:
        """End all work and all processes."""
        self.queue.close()
        self.long_work.close()
        await self.scores.close()
        await self.learning.stop()


def make_studio(settings: StudioSettings) -> Studio:
    """The parts of a server with these settings.

    Raises:
        CheckpointError: there is no such model.
    """
    models = Models(settings.model, settings.folder / "models")
    return Studio(
        settings=settings,
        scores=ScoreClient(),
        models=models,
        queue=ComposingQueue(),
        long_work=ComposingQueue(),
        sessions=SessionFiles(settings.folder / "sessions"),
        endless=EndlessPieces(models),
        learning=Learning(models.folder),
    )


def studio_of(request: Request) -> Studio:
    """The studio that a request is sent to."""
    studio: Studio = request.app.state.studio
    return studio

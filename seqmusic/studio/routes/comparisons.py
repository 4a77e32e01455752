"""A or B: two continuations are compared by ear."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from seqmusic.studio.errors import StudioError
from seqmusic.studio.models import DEFAULT_NAME
from seqmusic.studio.routes.responses import Data, answering, body_of
from seqmusic.studio.state import Studio, studio_of

if TYPE_CHECKING:
    from seqmusic.studio.comparisons import Comparisons

_MAX_SECONDS = 86_400.0


async def draw(request: Request) -> Data:
    """The next two to compare."""
    studio = studio_of(request)
    return await studio.long_work.run(lambda: _comparisons(studio).draw())


async def answer(request: Request) -> Data:
    """An answer, and what all answers so far say."""
    data, studio = await body_of(request), studio_of(request)
    try:
        seeds = int(data["seed_a"]), int(data["seed_b"])
        seconds = min(max(float(data.get("seconds", 0.0)), 0.0), _MAX_SECONDS)
        head, choice = str(data["head"]), str(data["choice"])
    except (KeyError, TypeError, OverflowError) as error:
        raise StudioError("request", "an answer has head, seed_a, seed_b and choice") from error
    return await studio.long_work.run(partial(_record, studio, head, seeds, choice, seconds))


def _record(studio: Studio, head: str, seeds: tuple[int, int], choice: str, seconds: float) -> Data:
    from seqmusic.alignment.comparing import Comparison  # imports torch

    return _comparisons(studio).answer(Comparison(head, *seeds), choice, round(seconds, 1))


def _comparisons(studio: Studio) -> Comparisons:
    return _comparisons_of(studio.settings.folder, studio.models.path(DEFAULT_NAME))


@lru_cache(maxsize=4)
def _comparisons_of(folder: Path, model: Path) -> Comparisons:
    from seqmusic.studio.comparisons import Comparisons  # imports torch

    return Comparisons(folder, model)


ROUTES = [
    Route("/comparisons/draw", answering(draw), methods=["POST"]),
    Route("/comparisons/answer", answering(answer), methods=["POST"]),
]

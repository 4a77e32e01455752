"""What the page may choose from, and what the choices mean."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from seqmusic import __version__
from seqmusic.formats import READABLE
from seqmusic.studio.routes.responses import Data, answering
from seqmusic.studio.state import studio_of
from seqmusic.tonality import all_keys, key_name

TEMPERATURES = (
    {"temperature": 0.4, "surprise": 0.678, "crossings": 0.769, "held": 81.3, "copy": 14},
    {"temperature": 0.8, "surprise": 1.11, "crossings": 2.71, "held": 78.5, "copy": 12},
    {"temperature": 1.0, "surprise": 1.46, "crossings": 4.76, "held": 77.1, "copy": 9.5},
    {"temperature": 1.3, "surprise": 2.07, "crossings": 12.0, "held": 76.1, "copy": 8},
)
"""The model alone at four temperatures, as the table of results gives it: nats per note, crossings
in percent of steps, held cells in percent, and notes of the longest copy."""
BACH = {"surprise": 1.52, "crossings": 2.94, "held": 77.5, "copy": 14}


async def health(request: Request) -> Data:
    """That this is a studio, and which version."""
    return {"name": "seqmusic studio", "version": __version__}


async def options(request: Request) -> Data:
    """Models and their styles, keys, files, and the measured meaning of the temperature."""
    studio = studio_of(request)
    names = list(studio.models.folders())
    return {
        "models": names,
        "styles": {name: list(studio.models.styles(name)) for name in names},
        "keys": [key_name(key) for key in all_keys() if -6 <= key.sharps <= 6],
        "readable": list(READABLE),
        "temperatures": list(TEMPERATURES),
        "bach": BACH,
        "is_training": studio.learning.is_running,
    }


ROUTES = [
    Route("/health", answering(health), methods=["GET"]),
    Route("/options", answering(options), methods=["GET"]),
]

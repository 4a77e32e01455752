"""seqmusic studio and forever: a page on this machine, and music without end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seqmusic.cli.options import Flag
from seqmusic.studio.settings import DEFAULT_PORT


def studio(
    *,
    port: int = DEFAULT_PORT,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
    model: Path | None = None,
) -> None:
    """Open a page in the browser to compose, hear, see and steer; it works offline. Ctrl-C ends it.

    Only this machine reaches it. Needs starlette, uvicorn and verovio: pip install 'seqmusic[web]'

    For example: seqmusic studio --port 8800 --no-browser

    Args:
        port: Where it listens; 0 for any free port.
        browser: Open the page in the browser.
        model: The folder of a trained model, or the name of one that comes with seqmusic.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads only wait: matrices are small
    from seqmusic.errors import MissingExtraError
    from seqmusic.studio.settings import StudioSettings

    settings = StudioSettings(port=port, model=model)
    try:
        from seqmusic.studio.server import serve
    except ImportError as error:
        raise MissingExtraError(
            f"the studio needs {error.name}; install it with: pip install 'seqmusic[web]'"
        ) from error
    serve(settings, opens_browser=browser)


def forever(
    *,
    seed: int = 0,
    first: int = 0,
    segments: int | None = None,
    out: Path | None = None,
    midi: Annotated[bool, Flag] = False,
    effort: int = 2,
    model: Path | None = None,
) -> None:
    """Compose without end, in segments of eight bars, until Ctrl-C.

    Keys and returning themes are planned, every segment obeys the strict rules, and one that shares
    more than 15 notes in a row with a training work is drawn again. The same seed gives the same
    music; the studio shows segment K at /s/SEED/K.

    For example: seqmusic forever --seed 7 --segments 3 --out forever

    Args:
        seed: Of the whole.
        first: The segment to begin with, from 0.
        segments: How many; without it there is no end.
        out: A folder for a MusicXML file of each segment.
        midi: Play in time, as MIDI bytes on standard output, such as: > /dev/snd/midiC1D0
        effort: How much is searched for each segment, 0 to 3; 0 draws once.
        model: The folder of a trained model, or the name of one that comes with seqmusic.
    """
    from seqmusic.cli.endless import compose_segments, play_segments, print_segments
    from seqmusic.generation.candidate_files import training_copied_notes
    from seqmusic.generation.endless.segments import EndlessPiece
    from seqmusic.runs.pretrained import load_array_model, model_folder

    folder = model_folder(model)
    loaded = load_array_model(folder, compiled=False)
    piece = EndlessPiece(loaded, seed, training_copied_notes(folder), effort)
    composed = compose_segments(piece, first, segments)
    if midi:
        play_segments(composed)
    else:
        print_segments(piece, composed, out)

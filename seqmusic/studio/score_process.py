"""A process that reads, engraves and writes scores for the server, one request a line.

It is `python -m seqmusic.studio.score_process`. Files of strangers are read here, and the engraver
runs here: whatever breaks or blocks this process costs the server one request.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seqmusic.errors import FormatError, SeqmusicError
from seqmusic.formats import READABLE, read_with_report, write_score
from seqmusic.formats.image import write_png
from seqmusic.formats.lilypond import write_lilypond
from seqmusic.formats.notation.file import write_musicxml
from seqmusic.formats.score_marks import ScoreMarks
from seqmusic.score import Score
from seqmusic.score_data import data_to_score, score_to_data
from seqmusic.studio.errors import error_to_data
from seqmusic.studio.marks_data import data_to_marks
from seqmusic.studio.score_view import score_view
from seqmusic.tonality import with_inferred_key

DOWNLOADS = ("mid", "musicxml", "ly", "svg", "png")
_ERRORS = (SeqmusicError, ValueError, KeyError, TypeError, OSError, RecursionError, MemoryError)


def main() -> None:
    """Answer each line of standard input with one of standard output, until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one request, or its error."""
    try:
        return {"result": _TASKS[request["task"]](request)}
    except _ERRORS as error:
        return {"error": error_to_data(error)}


def _view(request: Mapping[str, Any]) -> dict[str, Any]:
    given = request.get("given")
    return score_view(
        data_to_score(request["score"]),
        None if given is None else data_to_score(given),
        int(request["width"]),
        data_to_marks(request.get("marks")),
    )


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """The score of a file, and what was repaired and left out; only the ending of its name counts.

    Raises:
        FormatError: the file cannot be read as a score.
    """
    ending = Path(str(request["name"])).suffix.lower()
    if ending not in READABLE:
        raise FormatError(f"files that can be read end in {' '.join(READABLE)}; this one does not")
    data = base64.b64decode(request["base64"], validate=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{ending}"
        path.write_bytes(data)
        try:
            report = read_with_report(path)
        except SeqmusicError as error:
            raise type(error)(str(error).replace(f"{path}: ", "").replace(str(path), "")) from error
    if not report.score.n_notes:
        raise FormatError("the file holds no note")
    return {"score": score_to_data(report.score), "report": [*report.repairs, *report.losses]}


def _write(request: Mapping[str, Any]) -> dict[str, Any]:
    """The bytes of a score in a format of `DOWNLOADS`."""
    if request["format"] not in DOWNLOADS:
        raise FormatError(f"a download is one of {', '.join(DOWNLOADS)}")
    score, marks = data_to_score(request["score"]), data_to_marks(request.get("marks"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"score.{request['format']}"
        _WRITERS.get(request["format"], _write_plain)(score, path, marks)
        return {"base64": base64.b64encode(path.read_bytes()).decode("ascii")}


def _write_plain(score: Score, path: Path, marks: ScoreMarks) -> None:
    write_score(score, path)


_WRITERS: Mapping[str, Callable[[Score, Path, ScoreMarks], object]] = {
    "musicxml": lambda score, path, marks: write_musicxml(score, path, marks=marks),
    "ly": write_lilypond,
    "png": lambda score, path, marks: write_png(with_inferred_key(score), path, marks=marks),
}
_TASKS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "view": _view,
    "read": _read,
    "write": _write,
}

if __name__ == "__main__":
    main()

"""A head into files: continue it, write what came of it, and make it again from what was written."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

from seqmusic.checkpoints import load_model, model_folder
from seqmusic.errors import FormatError, MissingExtraError, RequestError
from seqmusic.formats import read_score, write_score
from seqmusic.formats.head import head_text, parse_head
from seqmusic.generation.continuation import Candidate, Request, continuation, given_names
from seqmusic.generation.keys import likeliest_key
from seqmusic.score import Key, Note, Score, TimeSignature

GIVEN_COLOR = "#1f6fb2"


def continue_run(head: Score, model: Path | None, request: Request, out: Path) -> list[dict[str, object]]:
    """Continue a head; write each candidate into `out` and return its figures and files, likeliest first.

    Raises:
        FormatError: `out` is there already.
        RequestError, CheckpointError: as `continuation` and `load_model`.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FormatError(f"{out}: is there already; choose another --out")
    folder = model_folder(model)
    trained = load_model(folder)
    head = replace(head, key=head.key or (likeliest_key(trained, head) if head.n_notes else None))
    candidates = continuation(trained, head, request)
    made = json.dumps(
        {
            "head": head_text(head),
            "time_signature": str(head.time_signatures[0][1]),
            "key": asdict(head.key) if head.key else None,
            "model": str(folder),
            "request": asdict(request),
        }
    )
    return [_write_candidate(rank, candidate, head, made, out) for rank, candidate in enumerate(candidates, start=1)]


def replay_run(path: Path, out: Path) -> list[dict[str, object]]:
    """Make the result of a file again from the settings written in it.

    Raises:
        RequestError: the file holds no settings of this program.
    """
    try:
        made = json.loads(read_score(path).source)
        request, key = Request(**made["request"]), made["key"]
        head, model, signature = str(made["head"]), Path(made["model"]), TimeSignature.parse(made["time_signature"])
    except (ValueError, KeyError, TypeError) as error:
        raise RequestError(
            f"{path}: holds no settings of seqmusic continue; replay takes a MIDI or MusicXML file it wrote"
        ) from error
    score = parse_head(head, signature, Key(**key) if key else None)
    return continue_run(score, model, request, out)


def _write_candidate(rank: int, candidate: Candidate, head: Score, made: str, out: Path) -> dict[str, object]:
    score = replace(candidate.score, source=made, title=head.title or f"Continuation {rank}")
    files = {}
    for suffix in ("mid", "musicxml", "ly"):
        files[suffix] = str(write_score(score, out / f"{rank}.{suffix}"))
    try:
        from seqmusic.formats.image import write_png, write_svg

        lines = {name: line for line, name in enumerate(voice.name for voice in score.voices)}
        own = given_names(head, "melody" if len(score.voices) == 1 else "satb")
        given = {(lines[name], note.onset_ticks) for name, voice in zip(own, head.voices, strict=True) for note in voice.notes}

        def color(voice: int, note: Note) -> str | None:
            return GIVEN_COLOR if (voice, note.onset_ticks) in given else None

        files["svg"] = str(write_svg(score, out / f"{rank}.svg", color))
        files["png"] = str(write_png(score, out / f"{rank}.png", color))
    except MissingExtraError as error:
        files["picture"] = str(error)
    return {
        "rank": rank,
        "log_probability_per_note": candidate.log_probability_per_note,
        "bits_per_note": -candidate.log_probability_per_note / math.log(2),
        "n_notes": candidate.n_events,
        "files": files,
    }

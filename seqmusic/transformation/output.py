"""The files of a transformation: scores with their marks, pictures, check.json and a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import MissingExtraError
from seqmusic.formats import write_score
from seqmusic.formats.lilypond import write_lilypond
from seqmusic.formats.notation.file import write_musicxml
from seqmusic.recognition.techniques.isorhythm import find_isorhythms
from seqmusic.report.construction_page import write_construction_page
from seqmusic.report.isorhythm_picture import isorhythm_svg
from seqmusic.score import Score
from seqmusic.transformation.transform import Transformation


def write_transformations(found: Sequence[Transformation], out: Path) -> list[dict[str, object]]:
    """Write the files of all candidates, and return figures and paths of each.

    Args:
        found: the candidates, best first.
        out: a folder.
    """
    rows = []
    for rank, one in enumerate(found, start=1):
        rows.append(
            {
                "rank": rank,
                "log_probability_per_note": one.candidate.log_probability_per_note,
                "n_notes": one.score.n_notes,
                "n_failed": one.n_failed,
                "files": _write_files(one, out / str(rank)),
            }
        )
    checks = {
        str(rank): [check.to_data() for check in one.checks]
        for rank, one in enumerate(found, start=1)
    }
    data = {"sentences": list(found[0].sentences), "candidates": checks}
    write_atomic(out / "check.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return rows


def construction_svg(score: Score) -> str:
    """A picture of the tenor's isorhythm, a line a talea; "" where none is found."""
    for one in find_isorhythms(score):
        if one.name == "Tenor":
            return isorhythm_svg(score, one)
    return ""


def _write_files(one: Transformation, stem: Path) -> dict[str, str]:
    """The files of a candidate by kind."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = {
        "mid": write_score(one.score, stem.with_suffix(".mid")),
        "musicxml": write_musicxml(one.score, stem.with_suffix(".musicxml"), marks=one.marks),
        "ly": write_lilypond(one.score, stem.with_suffix(".ly"), one.marks),
    }
    named = {kind: str(path) for kind, path in files.items()}
    pictures: list[str] = []
    try:
        from seqmusic.formats.image import score_svg, write_png, write_svg

        pictures = score_svg(one.score, marks=one.marks)
        named["svg"] = str(write_svg(one.score, stem.with_suffix(".svg"), marks=one.marks))
        named["png"] = str(write_png(one.score, stem.with_suffix(".png"), marks=one.marks))
    except MissingExtraError as error:
        named["picture"] = str(error)
    page = write_construction_page(
        stem.with_suffix(".html"),
        one.score,
        pictures,
        one.sentences,
        [(check.name, check.passed, check.text) for check in one.checks],
        construction_svg(one.score),
    )
    return {**named, "html": str(page)}

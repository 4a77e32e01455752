"""Compose the motets of docs/gallery-motets.md with the included model, and draw them.

    python scripts/gallery_motets.py

Two chorales, a song by Schubert, a hymn, a folk song and a typed theme become motets. Nothing is
chosen by hand: the first of three candidates, drawn with seed 1, is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.chorales import load_chorales
from seqmusic.formats import read_score, write_score
from seqmusic.formats.image import write_png
from seqmusic.formats.notation.collections import collection_files
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.score import Score, TimeSignature
from seqmusic.tonality import parse_key
from seqmusic.transformation.motet_plan import MotetSettings
from seqmusic.transformation.transform import Transformation, transform

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH_PX = 800
INTRODUCTION = (
    "Composed by `python scripts/gallery_motets.py` with the included model `styles`, whose terms "
    "(not for commercial use, share alike; see its card) hold for them. A line is a talea, with a "
    "bracket over the tenor; the colores are numbered."
)
OLD_HUNDREDTH = (
    "G4 G4 F#4 E4 D4 G4 A4 B4:1/2 B4:1/4 B4 B4 A4 G4 C5 B4 A4:1/2 "
    "G4:1/4 A4 B4 A4 G4 E4 F#4 G4:1/2 D5:1/4 B4 G4 A4 C5 B4 A4 G4:1/2"
)
SCARBOROUGH = (
    "D4:1/2 D4:1/4 | A4 A4 A4 | E4:3/8 F4:1/8 E4:1/4 | D4:3/4 | R:1/4 A4 C5 | D5:1/2 C5:1/4 | "
    "A4 B4 G4 | A4:3/4 | R:1/2 D5:1/4 | D5:1/2 D5:1/4 | C5:1/2 A4:1/4 | A4 G4 F4 | E4 C4:1/2 | "
    "D4:1/2 A4:1/4 | G4:1/2 F4:1/4 | E4 D4 C4 | D4:3/4"
)
THEME = "D4 F4 E4 G4 F4 A4 G4 E4 F4 D4 E4 C4 D4 G4 F4 E4 D4"


def chorale(name: str) -> Score:
    """A chorale of the corpus."""
    return next(work.score for work in load_chorales().works if work.name == name)


def lindenbaum() -> Score:
    """Schubert, Der Lindenbaum, as music21 has it."""
    (path,) = (path for path in collection_files("schubert") if "Lindenbaum" in path.name)
    return read_score(path)


def typed(text: str, key: str, meter: str = "4/4") -> Score:
    """A typed melody."""
    return parse_theme(text, TimeSignature.parse(meter), parse_key(key))


@dataclass(frozen=True)
class GalleryMotet:
    """A motet to compose: where its tune comes from, and how it is built."""

    name: str
    title: str
    source: Callable[[], Score]
    options: str
    settings: MotetSettings = field(default_factory=MotetSettings)


PIECES = (
    GalleryMotet(
        "ach-gott",
        "The chorale Ach Gott, vom Himmel sieh darein (BWV 2.6)",
        lambda: chorale("bwv2.6"),
        "",
    ),
    GalleryMotet(
        "herzlich",
        "The chorale Ach Herr, mich armen Sünder (BWV 135.6), with hocket",
        lambda: chorale("bwv135.6"),
        "--talea vos-qui --hocket",
        MotetSettings(talea="vos-qui", hocket=True),
    ),
    GalleryMotet(
        "lindenbaum",
        "Schubert, Der Lindenbaum, with an introitus",
        lindenbaum,
        "--introitus 2 --notes 12",
        MotetSettings(introitus=2, notes=12),
    ),
    GalleryMotet(
        "old-hundredth",
        "A hymn, Old Hundredth, in three voices",
        lambda: typed(OLD_HUNDREDTH, "G major"),
        "--voices 3",
        MotetSettings(voices=3),
    ),
    GalleryMotet(
        "scarborough",
        "A folk song, Scarborough Fair: all voices are isorhythmic",
        lambda: typed(SCARBOROUGH, "D minor", "3/4"),
        "--iso all --sections 1,1/2",
        MotetSettings(iso="all", sections="1,1/2"),
    ),
    GalleryMotet(
        "theme",
        "A typed theme over a typed talea, 3 : 2 : 1",
        lambda: typed(THEME, "D minor"),
        '--talea "3 1 2 R1 1 1" --sections 3,2,1 --notes 10',
        MotetSettings(talea="3 1 2 R1 1 1", sections="3,2,1", notes=10),
    ),
)


def main() -> None:
    """Compose, draw, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DOCS / "gallery" / "motets")
    parser.add_argument("--model", type=Path, help="folder of a trained model")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = ["# Gallery of motets", "", INTRODUCTION]
    for piece in PIECES:
        source = replace(piece.source(), title=piece.title.split(",")[0])
        request = Request(n=3, seed=1)
        best = transform(source, "motet", piece.settings, request, model=arguments.model)[0]
        write_png(
            best.score, arguments.out / f"{piece.name}.png", width_px=WIDTH_PX, marks=best.marks
        )
        write_score(best.score, arguments.out / f"{piece.name}.mid")
        print(f"{piece.name:<14} {best.n_failed} checks failed, {best.score.n_notes} notes")
        lines += section(piece, best)
    if arguments.out == DOCS / "gallery" / "motets":
        write_atomic(DOCS / "gallery-motets.md", "\n".join([*lines, ""]))


def section(piece: GalleryMotet, best: Transformation) -> list[str]:
    """The lines of a piece in the page."""
    path = f"gallery/motets/{piece.name}"
    sentences = [sentence for sentence in best.sentences if "words" not in sentence]
    checks = [check.text for check in best.checks if check.name in ("sonorities", "speed", "final")]
    return [
        *("", f"## {piece.title}", ""),
        f"`seqmusic transform SOURCE --into motet {piece.options}".rstrip() + " --seed 1`",
        *("", " ".join(sentences), "", " ".join(checks), ""),
        *(f"[MIDI]({path}.mid)", "", f"![{piece.title}]({path}.png)"),
    ]


if __name__ == "__main__":
    main()

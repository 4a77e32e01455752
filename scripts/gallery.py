"""Compose the pieces of docs/gallery.md with the included model, and draw them.

    python scripts/gallery.py                  # the six of docs/gallery
    python scripts/gallery.py --all --out all  # all sixteen, to look at

Twelve themes are continued and four melodies harmonized. None of them is a chorale: they are folk
tunes, themes in 3/4 and 6/8, pickups, a chromatic line. Nothing is chosen by hand: the likeliest of
three candidates, drawn with seed 1, is shown.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.formats.image import write_png
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.candidate_files import GIVEN_COLOR
from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import continuation, harmonization
from seqmusic.generation.request import Request
from seqmusic.metrics.voice_leading import parallels
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import DEFAULT_MODEL, load_model
from seqmusic.score import Note, Score, TimeSignature
from seqmusic.tonality import parse_key

DOCS = Path(__file__).resolve().parent.parent / "docs"
INTRODUCTION = (
    "Composed by `python scripts/gallery.py` with the included model; the given notes are blue."
)


@dataclass(frozen=True, slots=True)
class GalleryPiece:
    """A piece to compose.

    Attributes:
        name: of the file.
        title: above the picture.
        text: the given theme or melody.
        key, meter: of the text.
        bars: length of the continuation; 0 to harmonize.
        voices: of the continuation.
        is_in_gallery: whether it is in docs/gallery.md.
    """

    name: str
    title: str
    text: str
    key: str
    meter: str = "4/4"
    bars: int = 0
    voices: str = "satb"
    is_in_gallery: bool = False


GREENSLEEVES = (
    "A4:1/8 | C5:1/4 D5:1/8 E5:3/16 F5:1/16 E5:1/8 | D5:1/4 B4:1/8 G4:3/16 A4:1/16 B4:1/8 | "
    "C5:1/4 A4:1/8 A4:3/16 G#4:1/16 A4:1/8 | B4:1/4 G#4:1/8 E4:1/4"
)
GREENSLEEVES_WHOLE = (
    f"{GREENSLEEVES} A4:1/8 | C5:1/4 D5:1/8 E5:3/16 F5:1/16 E5:1/8 | D5:1/4 B4:1/8 G4:3/16 "
    "A4:1/16 B4:1/8 | C5:3/16 B4:1/16 A4:1/8 G#4:3/16 F#4:1/16 G#4:1/8 | A4:5/8"
)
PIECES = (
    GalleryPiece("au-clair", "Au clair de la lune", "G4 G4 G4 A4 | B4:1/2 A4", "G major", bars=8),
    GalleryPiece("frere-jacques", "Frère Jacques", "F4 G4 A4 F4 | F4 G4 A4 F4", "F major", bars=8),
    GalleryPiece(
        "joy", "Ode to Joy", "F#4 F#4 G4 A4 | A4 G4 F#4 E4", "D major", bars=8, is_in_gallery=True
    ),
    GalleryPiece(
        "auld-lang-syne",
        "Auld Lang Syne, with a pickup",
        "C4 | F4:3/8 F4:1/8 F4:1/4 A4",
        "F major",
        bars=8,
    ),
    GalleryPiece(
        "amazing-grace",
        "Amazing Grace, in 3/4",
        "D4 | G4:1/2 B4:1/8 G4 | B4:1/2 A4:1/4",
        "G major",
        "3/4",
        8,
        is_in_gallery=True,
    ),
    GalleryPiece("greensleeves", "Greensleeves, in 6/8", GREENSLEEVES, "A minor", "6/8", 8),
    GalleryPiece(
        "minor-pickup",
        "A theme in minor, with a pickup",
        "E4 | A4 B4 C5 D5 | E5:1/2 D5:1/4",
        "A minor",
        bars=8,
        is_in_gallery=True,
    ),
    GalleryPiece(
        "chromatic", "A chromatic line", "A4 G#4 G4 F#4 | F4 E4 D4:1/2", "D minor", bars=8
    ),
    GalleryPiece(
        "god-save",
        "God Save the King, in 3/4",
        "G4 G4 A4 | F#4:3/8 G4:1/8 A4:1/4 | B4 B4 C5",
        "G major",
        "3/4",
        8,
    ),
    GalleryPiece(
        "scarborough",
        "Scarborough Fair, one voice",
        "D4:1/2 D4:1/4 | A4 A4 A4 | E4:3/8 F4:1/8 E4:1/4",
        "D minor",
        "3/4",
        12,
        "melody",
    ),
    GalleryPiece(
        "outer-voices",
        "Soprano and bass given",
        "C5 B4 A4 G4 ; C4 D4 E4:1/8 D4 C4:1/4",
        "C major",
        bars=6,
    ),
    GalleryPiece(
        "flats",
        "A theme in E flat, one voice",
        "Eb4 F4 G4 Ab4 | Bb4:1/2 G4",
        "Eb major",
        bars=8,
        voices="melody",
    ),
    GalleryPiece(
        "au-clair-harmonized",
        "Au clair de la lune, harmonized",
        "G4 G4 G4 A4 | B4:1/2 A4 | G4:1/4 B4 A4 A4 | G4:1",
        "G major",
        is_in_gallery=True,
    ),
    GalleryPiece(
        "god-save-harmonized",
        "God Save the King, harmonized",
        "G4 G4 A4 | F#4:3/8 G4:1/8 A4:1/4 | B4 B4 C5 | B4:3/8 A4:1/8 G4:1/4 | A4 G4 F#4 | G4:3/4",
        "G major",
        "3/4",
        is_in_gallery=True,
    ),
    GalleryPiece(
        "greensleeves-harmonized", "Greensleeves, harmonized", GREENSLEEVES_WHOLE, "A minor", "6/8"
    ),
    GalleryPiece(
        "pickup-harmonized",
        "A melody in minor with a pickup, harmonized",
        "D4:1/8 E4 | F4:1/4 A4 G4 E4 | F4:1/2 E4 | D4:1/4 E4 F4 G4 | A4:1/2 G4:1/8 F4 E4:1/4 | "
        "D4:1/2.",
        "D minor",
        is_in_gallery=True,
    ),
)


def main() -> None:
    """Compose, draw, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--all", action="store_true", help="all sixteen, not only the six of the gallery"
    )
    parser.add_argument("--out", type=Path, default=DOCS / "gallery", help="folder of the pictures")
    arguments = parser.parse_args()
    model = load_model(Path(DEFAULT_MODEL))
    lines = ["# Gallery", "", INTRODUCTION]
    for piece in PIECES:
        if arguments.all or piece.is_in_gallery:
            given = parse_theme(piece.text, TimeSignature.parse(piece.meter), parse_key(piece.key))
            best = compose(model, piece, given)
            draw(best.score, given, arguments.out / f"{piece.name}.png")
            n_parallels = len(parallels(best.score))
            print(
                f"{piece.name:<24} {best.log_probability_per_note:.3f} per note, "
                f"{n_parallels} parallels"
            )
            picture = f"![{piece.title}](gallery/{piece.name}.png)"
            lines += ["", f"## {piece.title}", "", f"`{command(piece)}`", "", picture]
    if arguments.out == DOCS / "gallery":
        write_atomic(DOCS / "gallery.md", "\n".join([*lines, ""]))


def compose(model: Transformer, piece: GalleryPiece, given: Score) -> Candidate:
    """The likeliest continuation or harmonization."""
    request = Request(seed=1)
    if not piece.bars:
        return harmonization(model, given, request)[0]
    return continuation(model, given, request, bars=piece.bars, voices=piece.voices)[0]


def command(piece: GalleryPiece) -> str:
    """The command that composes the same."""
    how = f"continue --bars {piece.bars} --voices {piece.voices}" if piece.bars else "harmonize"
    meter = f"--time-signature {piece.meter}"
    return f'seqmusic {how} "{piece.text}" --key "{piece.key}" {meter} --seed 1'


def draw(score: Score, given: Score, path: Path) -> None:
    """Draw a score with the given notes in color."""
    names = [voice.name for voice in score.voices]
    given_notes = {
        (names.index(voice.name), note.onset_ticks, note.pitch)
        for voice in given.voices
        for note in voice.notes
    }

    def color(voice: int, note: Note) -> str | None:
        is_given = (voice, note.onset_ticks, note.pitch) in given_notes
        return GIVEN_COLOR if is_given else None

    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(score, path, color)


if __name__ == "__main__":
    main()

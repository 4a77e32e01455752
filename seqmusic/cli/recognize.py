"""seqmusic recognize: what a score is."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from seqmusic.cli.options import Flag

if TYPE_CHECKING:
    from seqmusic.recognition.recognized_score import RecognizedScore


def recognize(
    *score: str,
    voice: str = "",
    model: Path | None = None,
    explain: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
    train: Path | None = None,
    out: Path | None = None,
) -> None:
    """Recognize the repertory of a score, or of a few notes, and its techniques.

    The answer is a class, classes that cannot be told apart, "not sure" or "none of these". With
    --train, a recognizer of other classes is trained instead.

    For example: seqmusic recognize "G4 A4 B4 C5 | D5:1/2 B4 | C5:1/4 B4 A4 A4 | G4:1"

    Args:
        score: Typed notes, or one file (MIDI, MusicXML, MEI, kern, ABC, CSV).
        voice: Read only this voice, such as tenor, to recognize the class.
        model: The folder of a recognizer; by default the one that comes with seqmusic.
        explain: Also write a page with the score: the passages that speak for the answer and
            against it, probabilities, and techniques.
        json: Print everything as one JSON object.
        train: A folder of scores, CLASS/[SOURCE/[GROUP/]]FILE, or one made from it by data
            prepare: train a recognizer of its classes.
        out: The folder of that recognizer, or of the page; by default recognizer and recognized.
    """
    if train is not None:
        if score or explain or voice or model:
            raise ValueError("--train goes with --out alone; nothing is recognized")
        _train(train, out or Path("recognizer"), json)
        return
    if not score:
        raise ValueError("name a file, or type some notes")
    found = _recognized(score, voice, model)
    _print(found, json)
    if explain:
        page = _explain(found, out or Path("recognized"))
        if not json:
            print(f"wrote {page}")


def _explain(found: RecognizedScore, folder: Path) -> Path:
    from seqmusic.report.recognition_page import write_recognition_page

    name = Path(found.score.source).stem if found.score.source else "theme"
    return write_recognition_page(found, folder / f"{name}.html", name)


def _print(found: RecognizedScore, json: bool) -> None:
    from seqmusic.recognition.recognized_score import recognized_text, recognized_values

    if json:
        print(json_text.dumps(recognized_values(found), ensure_ascii=False))
    else:
        print(recognized_text(found))


def _recognized(arguments: tuple[str, ...], voice: str, model: Path | None) -> RecognizedScore:
    from seqmusic import formats
    from seqmusic.cli.arguments import names_a_file, print_repairs
    from seqmusic.errors import RequestError
    from seqmusic.formats.theme import parse_theme
    from seqmusic.recognition.recognized_score import recognize_score
    from seqmusic.recognition.storage import load_recognizer

    name = ""
    if len(arguments) == 1 and names_a_file(arguments[0]):
        name = f"{arguments[0]}: "
        report = formats.read_with_report(Path(arguments[0]))
        print_repairs(arguments[0], report)
        score = report.score
    else:
        score = parse_theme(arguments)
    try:
        return recognize_score(load_recognizer(model), score, voice)
    except RequestError as error:
        unquoted = not name and len(arguments) > 1 and score.n_notes == len(arguments)
        hint = "; write the notes of one voice in one pair of quotation marks" if unquoted else ""
        raise RequestError(f"{name or 'the theme '}{error}{hint}") from error


def _train(folder: Path, out: Path, json: bool) -> None:
    from seqmusic.recognition.training_run import train_into

    figures = train_into(folder, out)
    if json:
        print(json_text.dumps(figures))

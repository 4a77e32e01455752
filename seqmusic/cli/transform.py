"""seqmusic transform: a piece recast as an isorhythmic motet or as a chorale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from seqmusic.cli.arguments import output_folder, read_theme
from seqmusic.cli.options import Flag

if TYPE_CHECKING:
    from seqmusic.score import Score
    from seqmusic.transformation.chorale import ChoraleSettings
    from seqmusic.transformation.motet_plan import MotetSettings
    from seqmusic.transformation.transform import Transformation


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class MotetOptions:
    """How a motet is built.

    Attributes:
        talea: The tenor's rhythm: o-canenda, impudenter, vos-qui, si-dolce, or typed values such as
            "4 R2 2 2 1 R1", R before a rest.
        sections: Duration of each color in proportion to the first, such as 1,1,1/2 or 9,6,4; by
            default what goes with the talea.
        voices: 3, or 4 with a contratenor.
        hocket: The upper voices alternate before the end of each talea.
        iso: tenor, or all: all voices repeat the rhythm of the first talea.
        introitus: Bars that the upper voices sing before the tenor enters.
        keep_repeats: A note of the tune that is repeated at once counts twice.
        style: Of the counterpoint: trecento, motet (of the Renaissance) or chorale.
    """

    talea: str = "o-canenda"
    sections: str = ""
    voices: int = 4
    hocket: Annotated[bool, Flag] = False
    iso: Literal["tenor", "all"] = "tenor"
    introitus: int = 0
    keep_repeats: Annotated[bool, Flag] = False
    style: str = "trecento"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TransformOptions:
    """How candidates are drawn, and where they go.

    Attributes:
        n: How many candidates.
        temperature: 1 is the model as trained, less is safer.
        seed: The same seed gives the same candidates.
        model: The folder of a trained model, or the name of one that comes with seqmusic; by
            default styles for the styles trecento and motet, else chorales.
        key: Of the source, such as "D minor", if it is not as the file says.
        grid: For a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t.
        out: A new folder for the files; by default continuations/1, 2, ...
        json: Print the result as one JSON object, on the last line.
    """

    n: Annotated[int, Parameter(name="-n")] = 3
    temperature: float = 0.8
    seed: int = 0
    model: Path | None = None
    key: str | None = None
    grid: str | None = None
    out: Path | None = None
    json: Annotated[bool, Flag] = False


def transform(
    *source: str,
    into: Literal["motet", "chorale"],
    notes: int | None = None,
    time_signature: str | None = None,
    motet: MotetOptions | None = None,
    options: TransformOptions | None = None,
) -> None:
    """Recast a piece as an isorhythmic motet, or as a chorale, and check the result.

    The melody of the source is found: of a song its vocal line. For a motet it becomes the color of
    the tenor; for a chorale it is made singable and harmonized.

    For example: seqmusic transform "D4 E4 F4 G4 A4 G4 F4 E4 F4 D4 E4 D4" --into motet --seed 1

    Args:
        source: A file (MIDI, MusicXML, MEI, kern, ABC, CSV), or a typed theme.
        into: motet or chorale.
        notes: How many notes of the melody are taken; by default whole phrases.
        time_signature: Such as 3/4, for a typed theme; 4/4 by default.
    """
    from seqmusic.generation.request import Request
    from seqmusic.transformation.output import write_transformations
    from seqmusic.transformation.transform import transform as transform_score

    options, motet = options or TransformOptions(), motet or MotetOptions()
    out = output_folder(options.out)
    score = read_theme(source, options.key, time_signature, options.grid)
    request = Request(n=options.n, temperature=options.temperature, seed=options.seed)
    found = transform_score(
        _titled(score, source),
        into,
        _settings(into, notes, motet),
        request,
        style=motet.style,
        model=options.model,
    )
    _print_results(found, write_transformations(found, out), as_json=options.json)


def _titled(score: Score, source: tuple[str, ...]) -> Score:
    """The score, with the name of its file as title if it has none."""
    from dataclasses import replace

    is_file = len(source) == 1 and Path(source[0]).is_file()
    title = score.title or (Path(source[0]).stem if is_file else "a typed theme")
    return replace(score, title=title)


def _settings(into: str, notes: int | None, motet: MotetOptions) -> MotetSettings | ChoraleSettings:
    from seqmusic.transformation.chorale import ChoraleSettings
    from seqmusic.transformation.motet_plan import MotetSettings

    if into == "chorale":
        if motet != MotetOptions():
            raise ValueError(
                "--talea, --sections and the like are for --into motet; leave them out"
            )
        return ChoraleSettings(notes=notes)
    return MotetSettings(
        talea=motet.talea,
        sections=motet.sections,
        voices=motet.voices,
        notes=notes,
        hocket=motet.hocket,
        iso=motet.iso,
        introitus=motet.introitus,
        keep_repeats=motet.keep_repeats,
    )


def _print_results(
    found: list[Transformation], rows: list[dict[str, Any]], *, as_json: bool
) -> None:
    if as_json:
        checks = [[check.to_data() for check in one.checks] for one in found]
        print(json.dumps({"candidates": rows, "checks": checks}))
        return
    _print_candidates(list(found[0].sentences), rows)
    _print_checks([(check.name, check.passed, check.text) for check in found[0].checks])


def _print_candidates(sentences: list[str], rows: list[dict[str, Any]]) -> None:
    print("\n".join(sentences))
    print("rank  log-probability per note  notes  failed checks  files")
    for row in rows:
        paths = [Path(path) for kind, path in row["files"].items() if kind != "picture"]
        names = " ".join([str(paths[0]), *(path.suffix for path in paths[1:])])
        nats = row["log_probability_per_note"]
        print(
            f"{row['rank']:>4}  {nats:>24.3f}  {row['n_notes']:>5}  {row['n_failed']:>13}  {names}"
        )
    if "picture" in rows[0]["files"]:
        print(f"No pictures: {rows[0]['files']['picture']}")


def _print_checks(checks: list[tuple[str, bool | None, str]]) -> None:
    print("The first candidate, checked:")
    labels = {True: "ok", False: "FAILED", None: "-"}
    for name, passed, text in checks:
        print(f"{labels[passed]:>6}  {name.replace('_', ' '):<13} {text}")

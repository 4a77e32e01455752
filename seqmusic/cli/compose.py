"""seqmusic continue, harmonize, regenerate and replay: music from a model."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seqmusic.cli.arguments import Flag, output_folder, read_theme
from seqmusic.generation.request import Request

if TYPE_CHECKING:
    from seqmusic.generation.completion import OnNote
    from seqmusic.score import Key, Note


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RequestOptions(Request):
    """What all that compose have in common."""

    n: Annotated[int, Parameter(name="-n")] = 3
    scale: Annotated[bool, Flag] = False
    strict: Annotated[bool, Flag] = False
    compass: Annotated[tuple[str, ...], Flag] = ()

    def request(self) -> Request:
        """The same as the package knows it."""
        return Request(**{field.name: getattr(self, field.name) for field in fields(Request)})


def continue_(
    *head: str,
    model: Path | None = None,
    voices: str | None = None,
    bars: int = 8,
    key: str | None = None,
    time_signature: str | None = None,
    grid: str | None = None,
    style: str = "",
    out: Path | None = None,
    explain: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
    options: RequestOptions | None = None,
) -> None:
    """Continue a theme, and write the candidates as MIDI, MusicXML, LilyPond and pictures, the likeliest first.

    For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4" --voices satb --bars 8 --seed 7

    Args:
        head: The theme, typed ("C4 D4:1/8 Eb4:3/8 R:1/4 | F4"; several are several voices), or one file.
        model: The folder of a trained model.
        voices: melody or satb, or how many of a model that has learned numbered voices; when not said, what fits the theme.
        bars: How many bars in all, the theme's own included and a pickup not counted; the last is short by the pickup.
        key: Such as "D minor"; when not said, the model chooses among the keys whose scale holds most of the theme.
        time_signature: Such as 3/4; of a typed theme, 4/4 when not said.
        grid: Of a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for triplets.
        style: One that the model has learned, by its name: a subfolder of what it was trained on.
        out: A new folder for the files; continuations/1, 2, ... when not said.
        explain: Also write a page for each: how surprising every note is, what else was likely, and what a training work shares.
        json: Say the result as one JSON object, on the last line.
    """
    from seqmusic.generation.output import Task, compose_run

    score = read_theme(head, key, time_signature, grid)
    task = Task(name="continue", bars=bars, voices=(voices,) if voices else (), style=style)
    options = options or RequestOptions()
    with note_display(score.key, is_shown=not json) as on_note:
        made = compose_run(
            task,
            score,
            model,
            options.request(),
            output_folder(out),
            explain=explain,
            say=_say,
            on_note=on_note,
        )
    print_candidates(made, as_json=json)


def harmonize(
    *melody: str,
    voice: str = "",
    model: Path | None = None,
    key: str | None = None,
    time_signature: str | None = None,
    grid: str | None = None,
    style: str = "",
    out: Path | None = None,
    explain: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
    options: RequestOptions | None = None,
) -> None:
    """Compose the voices that are missing beside those that are given, which stay exactly as they are.

    For example: seqmusic harmonize "G4 A4 B4 C5 | D5:1/2 B4 | C5 A4 F#4:1/2 | G4:1" --key "G major" --strict

    Args:
        melody: The given voice, typed, or one file; several voices where several are given.
        voice: Which of soprano, alto, tenor and bass they are, such as bass, or soprano,bass; when not said, one is the soprano.
        model: The folder of a trained model.
        key: Such as "D minor"; when not said, the model chooses among the keys whose scale holds most of what is given.
        time_signature: Such as 3/4; of typed voices, 4/4 when not said.
        grid: Of a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for triplets.
        style: One that the model has learned, by its name: a subfolder of what it was trained on.
        out: A new folder for the files; continuations/1, 2, ... when not said.
        explain: Also write a page for each: how surprising every note is, what else was likely, and what a training work shares.
        json: Say the result as one JSON object, on the last line.
    """
    from seqmusic.generation.output import Task, compose_run

    task = Task(name="harmonize", voices=_split_names(voice), style=style)
    options, score = options or RequestOptions(), read_theme(melody, key, time_signature, grid)
    with note_display(score.key, is_shown=not json) as on_note:
        made = compose_run(
            task,
            score,
            model,
            options.request(),
            output_folder(out),
            explain=explain,
            say=_say,
            on_note=on_note,
        )
    print_candidates(made, as_json=json)


def regenerate(
    score: str,
    /,
    *,
    bars: str | None = None,
    voices: str = "",
    scatter: float = 0.0,
    rounds: int = 4,
    model: Path | None = None,
    key: str | None = None,
    grid: str | None = None,
    out: Path | None = None,
    explain: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
    options: RequestOptions | None = None,
) -> None:
    """Compose some bars anew, or some voices of them, and leave everything else as it is.

    For example: seqmusic regenerate continuations/1/1.musicxml --bars 5-6 --voices alto,tenor

    Args:
        score: A file (MIDI, MusicXML, MEI, kern, ABC, CSV), or a typed score.
        bars: Which, such as 5-8 or 3, counted as on the printed page: a pickup is bar 0; all when not said.
        voices: Which, such as alto,tenor; all when not said.
        scatter: Draw this share of the notes, such as 0.03, and compose only them anew, in rounds; 0 is all at once.
        rounds: How many rounds of --scatter; the log-probability of the whole is shown after each, and never falls.
        model: The folder of a trained model.
        key: Such as "D minor"; that of the file when not said, and the likeliest where it has none.
        grid: Of a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for triplets.
        out: A new folder for the files; continuations/1, 2, ... when not said.
        explain: Also write a page for each: how surprising every note is, what else was likely, and what a training work shares.
        json: Say the result as one JSON object, on the last line.
    """
    from seqmusic.generation.output import Task, compose_run

    if not 0 <= scatter <= 1:
        raise ValueError(f"--scatter must be in 0..1, got {scatter}")
    task = Task(
        name="regenerate",
        bars=_parse_bars(bars),
        voices=_split_names(voices),
        scatter=scatter,
        rounds=rounds if scatter else 1,
    )
    options, whole = options or RequestOptions(), read_theme([score], key, grid=grid)
    print_candidates(
        compose_run(
            task, whole, model, options.request(), output_folder(out), explain=explain, say=_say
        ),
        as_json=json,
    )


def replay(file: Path, /, *, out: Path | None = None) -> None:
    """Make a result again from the seed and settings that its MIDI or MusicXML file carries.

    For example: seqmusic replay continuations/1/1.mid --out again

    Args:
        file: A file that seqmusic continue, harmonize or regenerate wrote.
        out: A new folder for the files; continuations/1, 2, ... when not said.
    """
    from seqmusic.generation.output import replay_run

    print_candidates(replay_run(file, output_folder(out)))


def print_candidates(candidates: list[dict[str, Any]], *, as_json: bool = False) -> None:
    """Print a line for each candidate, or all as one JSON object."""
    if as_json:
        print(json.dumps({"candidates": candidates}))
        return
    print("rank  log-probability a note  bits a note  notes  files")
    for one in candidates:
        figures = f"{one['rank']:>4}  {one['log_probability_per_note']:>22.3f}  {one['bits_per_note']:>11.2f}  {one['n_notes']:>5}"
        files = [Path(file) for kind, file in one["files"].items() if kind != "picture"]
        print(
            f"{figures}  {' '.join([str(files[0]), *(file.suffix for file in files[1:])]) if files else ''}".rstrip()
        )
    if missing := next(
        (one["files"]["picture"] for one in candidates if "picture" in one["files"]), ""
    ):
        print(f"No pictures: {missing}")


@contextmanager
def note_display(key: Key | None, *, is_shown: bool) -> Iterator[OnNote | None]:
    """What is to be told notes as they are made: a line at the terminal, with the quarter reached and the last note of each voice.

    None where nothing is shown, or there is no terminal.
    """
    if not (is_shown and sys.stderr.isatty()):
        yield None
        return
    from tqdm import tqdm

    from seqmusic.score import TICKS_PER_QUARTER
    from seqmusic.tonality import spell

    latest: dict[int, str] = {}
    with tqdm(bar_format="{desc}", leave=False) as line:

        def on_note(place: int, note: Note) -> None:
            latest[place] = f"{spell(note.pitch, key)!s:<4}"
            sounding = "".join(latest[place] for place in sorted(latest))
            line.set_description_str(
                f"quarter {note.onset_ticks // TICKS_PER_QUARTER + 1:>3}  {sounding}"
            )

        yield on_note


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _parse_bars(text: str | None) -> tuple[int, int] | None:
    """First and last bar of 5-8, or of 5."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]{1,6})\s*(?:-\s*([0-9]{1,6})\s*)?", text)
    if match is None:
        raise ValueError(f"bars are written like 5-8, or 5, got {text!r}")
    return int(match[1]), int(match[2] or match[1])

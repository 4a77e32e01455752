"""seqmusic continue, harmonize, regenerate and replay: music from a model."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqmusic.cli.arguments import output_folder, read_theme, split_names
from seqmusic.cli.options import ComposeOptions

if TYPE_CHECKING:
    from seqmusic.generation.completion import OnNote
    from seqmusic.generation.search.ranking import Term
    from seqmusic.generation.task import Task
    from seqmusic.score import Key, Note, Score


def continue_(
    *theme: str,
    voices: str | None = None,
    bars: int = 8,
    time_signature: str | None = None,
    style: str = "",
    options: ComposeOptions | None = None,
) -> None:
    """Continue a theme, and write candidates as MIDI, MusicXML, LilyPond and pictures.

    The candidates are numbered, likeliest first.

    For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4" --voices satb --bars 8 --seed 7

    Args:
        theme: Typed notes ("C4 D4:1/8 Eb4:3/8 R:1/4 | F4"; several texts are several voices), or
            one file.
        voices: melody or satb, or a number for a model that has learned numbered voices; by default
            what suits the theme.
        bars: How many bars in all, those of the theme included and a pickup not counted; the last
            is short by the pickup.
        time_signature: Such as 3/4, for a typed theme; 4/4 by default.
        style: One that the model has learned, by its name: a subfolder of its training works.
    """
    from seqmusic.generation.task import Task

    options = options or ComposeOptions()
    score = read_theme(theme, options.key, time_signature, options.grid)
    task = Task(name="continue", bars=bars, voices=(voices,) if voices else (), style=style)
    _compose(task, score, options)


def harmonize(
    *melody: str,
    voice: str = "",
    time_signature: str | None = None,
    style: str = "",
    options: ComposeOptions | None = None,
) -> None:
    """Compose the missing voices beside the given ones, which stay exactly as they are.

    For example: seqmusic harmonize "G4 A4 B4 C5 | D5:1/2 B4" --key "G major" --strict

    Args:
        melody: The given voice, typed, or one file; several texts are several voices.
        voice: Which of soprano, alto, tenor and bass is given, such as bass, or soprano,bass; by
            default a single voice is the soprano.
        time_signature: Such as 3/4, for typed voices; 4/4 by default.
        style: One that the model has learned, by its name: a subfolder of its training works.
    """
    from seqmusic.generation.task import Task

    options = options or ComposeOptions()
    score = read_theme(melody, options.key, time_signature, options.grid)
    _compose(Task(name="harmonize", voices=split_names(voice), style=style), score, options)


def regenerate(
    score: str,
    /,
    *,
    bars: str | None = None,
    voices: str = "",
    scatter: float = 0.0,
    rounds: int = 4,
    options: ComposeOptions | None = None,
) -> None:
    """Compose some bars anew, or some voices of them, and leave everything else as it is.

    For example: seqmusic regenerate continuations/1/1.musicxml --bars 5-6 --voices alto,tenor

    Args:
        score: A file (MIDI, MusicXML, MEI, kern, ABC, CSV), or a typed score.
        bars: Which, such as 5-8 or 3, numbered as on the printed page: a pickup is bar 0; all by
            default.
        voices: Which, such as alto,tenor; all by default.
        scatter: Draw this share of the notes, such as 0.03, and compose only them anew, in rounds;
            0 is all at once.
        rounds: How many rounds of --scatter; the log-probability of the whole is shown after each,
            and never falls.
    """
    from seqmusic.generation.task import Task

    options = options or ComposeOptions()
    if not 0 <= scatter <= 1:
        raise ValueError(f"--scatter must be in 0..1, got {scatter}")
    task = Task(
        name="regenerate",
        bars=_parse_bars(bars),
        voices=split_names(voices),
        scatter=scatter,
        rounds=rounds if scatter else 1,
    )
    _compose(task, read_theme([score], options.key, grid=options.grid), options)


def _compose(task: Task, score: Score, options: ComposeOptions) -> None:
    """Do a task, and print its candidates."""
    from seqmusic.generation.output import compose_run

    terms = () if options.prefer is None else (_preference(options.prefer, options.model),)
    is_shown = not options.json and task.name != "regenerate"
    with note_display(score.key, is_shown=is_shown) as on_note:
        candidates = compose_run(
            task,
            score,
            options.model,
            options.request(),
            output_folder(options.out),
            explain=options.explain,
            on_note=on_note,
            terms=terms,
        )
    print_candidates(candidates, as_json=options.json)


def _preference(preferences: Path, model: Path | None) -> Term:
    """What a file of preferences adds to the ranking of a candidate, which is also shown."""
    from seqmusic.alignment.comparing import read_taste

    taste = read_taste([preferences], model)
    print("\n".join(taste.sentences() or ["these answers show no clear preference"]))
    return lambda candidate: taste.score(candidate.score)


def replay(file: Path, /, *, out: Path | None = None) -> None:
    """Repeat a result from the seed and settings that its MIDI or MusicXML file holds.

    For example: seqmusic replay continuations/1/1.mid --out again

    Args:
        file: A file that seqmusic continue, harmonize or regenerate wrote.
        out: A new folder for the files; by default continuations/1, 2, ...
    """
    from seqmusic.generation.output import replay_run

    print_candidates(replay_run(file, output_folder(out)))


def print_candidates(candidates: list[dict[str, Any]], *, as_json: bool = False) -> None:
    """Print a line for each candidate, or all as one JSON object."""
    if as_json:
        print(json.dumps({"candidates": candidates}))
        return
    print("rank  log-probability per note  bits per note  notes  files")
    for candidate in candidates:
        nats, bits = candidate["log_probability_per_note"], candidate["bits_per_note"]
        figures = f"{candidate['rank']:>4}  {nats:>24.3f}  {bits:>13.2f}  {candidate['n_notes']:>5}"
        files = [Path(file) for kind, file in candidate["files"].items() if kind != "picture"]
        names = [str(file) if file is files[0] else file.suffix for file in files]
        print(f"{figures}  {' '.join(names)}".rstrip())
    missing = [one["files"]["picture"] for one in candidates if "picture" in one["files"]]
    if missing:
        print(f"No pictures: {missing[0]}")


@contextmanager
def note_display(key: Key | None, *, is_shown: bool) -> Iterator[OnNote | None]:
    """A callback that shows notes in a line at the terminal as they are composed.

    The line has the quarter reached and the last note of each voice. The callback is None if
    nothing is to be shown, or there is no terminal.
    """
    if not (is_shown and sys.stderr.isatty()):
        yield None
        return
    from tqdm import tqdm

    from seqmusic.score import TICKS_PER_QUARTER
    from seqmusic.tonality import spell

    latest: dict[int, str] = {}
    with tqdm(bar_format="{desc}", leave=False) as line:

        def on_note(voice_index: int, note: Note) -> None:
            latest[voice_index] = f"{spell(note.pitch, key)!s:<4}"
            sounding = "".join(latest[index] for index in sorted(latest))
            quarter = note.onset_ticks // TICKS_PER_QUARTER + 1
            line.set_description_str(f"quarter {quarter:>3}  {sounding}")

        yield on_note


def _parse_bars(text: str | None) -> tuple[int, int] | None:
    """First and last bar of a text such as 5-8, or 5."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]{1,6})\s*(?:-\s*([0-9]{1,6})\s*)?", text)
    if match is None:
        raise ValueError(f"bars are written like 5-8, or 5, got {text!r}")
    return int(match[1]), int(match[2] or match[1])

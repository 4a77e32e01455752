"""seqmusic continue and replay: music from a model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from seqmusic.cli.arguments import Flag, new_folder, read_theme


def continue_(
    *head: str,
    model: Path | None = None,
    voices: Literal["melody", "satb"] | None = None,
    bars: int = 8,
    n: Annotated[int, Parameter(name="-n")] = 3,
    temperature: float = 1.0,
    pitch_temperature: float | None = None,
    rhythm_temperature: float | None = None,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    key: str | None = None,
    time_signature: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Continue a theme, and write the candidates as MIDI, MusicXML, LilyPond and pictures, the likeliest first.

    For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4" --voices satb --bars 8 --seed 7

    Args:
        head: The theme, typed ("C4 D4:1/8 Eb4:3/8 R:1/4 | F4"; several are several voices), or one file.
        model: The folder of a trained model.
        voices: One voice, or four; when not said, one for a theme of one voice and else four.
        bars: How many bars in all, the theme's own included and a pickup not counted; the last is short by the pickup.
        n: How many candidates.
        temperature: 1 as the model was trained, less is safer, 0 always takes the likeliest, and so gives one candidate.
        pitch_temperature: The same for pitches alone.
        rhythm_temperature: The same for durations alone.
        top_k: Choose among so many of the likeliest; 0 is all.
        top_p: Choose among the likeliest that have this probability together.
        min_p: Leave out what is less likely than this share of the likeliest; 0.05 calms a model that was trained shortly.
        key: Such as "D minor"; when not said, the model chooses among the keys whose scale holds most of the theme.
        time_signature: Such as 3/4; of a typed theme, 4/4 when not said.
        seed: The same seed gives the same candidates.
        out: A new folder for the files; continuations/1, 2, ... when not said.
        json: Say the result as one JSON object, on the last line.
    """
    from seqmusic.composition import continue_run
    from seqmusic.generation.continuation import Request, fitting_shift

    score = read_theme(head, key, time_signature)
    style = voices or ("melody" if len(score.voices) == 1 else "satb")
    request = Request(
        bars=bars,
        n=n,
        temperature=temperature,
        pitch_temperature=pitch_temperature,
        rhythm_temperature=rhythm_temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        seed=seed,
        voices=style,
    )
    if shift := fitting_shift(score, style):
        away = f"{abs(shift)} semitones {'higher' if shift > 0 else 'lower'}"
        print(f"The theme lies outside the compass of its voice: composed {away}, and moved back.", file=sys.stderr)
    print_candidates(continue_run(score, model, request, new_folder(out)), as_json=json)


def replay(file: Path, /, *, out: Path | None = None) -> None:
    """Make a continuation again from the seed and settings that its MIDI or MusicXML file carries.

    For example: seqmusic replay continuations/1/1.mid --out again

    Args:
        file: A file that seqmusic continue wrote.
        out: A new folder for the files; continuations/1, 2, ... when not said.
    """
    from seqmusic.composition import replay_run

    print_candidates(replay_run(file, new_folder(out)))


def print_candidates(candidates: list[dict[str, Any]], *, as_json: bool = False) -> None:
    if as_json:
        print(json.dumps({"candidates": candidates}))
        return
    print("rank  log-probability a note  bits a note  notes  files")
    for one in candidates:
        figures = f"{one['rank']:>4}  {one['log_probability_per_note']:>22.3f}  {one['bits_per_note']:>11.2f}  {one['n_notes']:>5}"
        files = [Path(file) for kind, file in one["files"].items() if kind != "picture"]
        print(f"{figures}  {' '.join([str(files[0]), *(file.suffix for file in files[1:])]) if files else ''}".rstrip())
    if missing := next((one["files"]["picture"] for one in candidates if "picture" in one["files"]), ""):
        print(f"No pictures: {missing}")

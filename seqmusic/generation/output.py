"""From music and a task to files: compose, write what came of it, and make it again from what was written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.works_table import WORKS_FILE, kept_styles, read_works
from seqmusic.errors import FormatError, MissingExtraError, RequestError, SeqmusicError
from seqmusic.formats import read_score, write_score
from seqmusic.generation.completion import Candidate, OnNote
from seqmusic.generation.composing import compose_candidates, regeneration, revision
from seqmusic.generation.key_choice import likeliest_key
from seqmusic.generation.prompts import (
    Prompt,
    continuation_prompt,
    default_voices,
    fitting_shift,
    harmonization_prompt,
    regeneration_prompt,
)
from seqmusic.generation.request import Request
from seqmusic.metrics.originality import CopyIndex
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.report.score_page import write_score_page
from seqmusic.runs.pretrained import (
    PRETRAINED,
    learned_voice_names,
    load_array_model,
    load_model,
    model_folder,
)
from seqmusic.score import Key, Note, Score, TimeSignature, Voice
from seqmusic.score_data import score_to_data

GIVEN_COLOR = "#1f6fb2"
MIN_SHARED_NOTES = (
    8  # notes; held-out chorales share 14 in the median with a training work, their sopranos 8
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be done with a score; each name uses the fields it needs.

    Attributes:
        name: continue, harmonize or regenerate.
        bars: to continue: how many in all; to regenerate: the first and the last, None for all.
        voices: to continue: melody, satb or how many, as the score has when not said; to harmonize: which are given; to regenerate:
            which are composed anew.
        scatter: to regenerate: the share of the notes drawn in each round; 0 for all at once.
        rounds: to regenerate: how many.
        style: to continue and harmonize: one that the model has learned, by its name; "" for none.
    """

    name: str
    bars: int | tuple[int, int] | None = None
    voices: tuple[str, ...] = ()
    scatter: float = 0.0
    rounds: int = 1
    style: str = ""


def compose_run(
    task: Task,
    score: Score,
    model: Path | None,
    request: Request,
    out: Path,
    *,
    explain: bool = False,
    say: Callable[[str], None] = lambda text: None,
    on_note: OnNote | None = None,
) -> list[dict[str, object]]:
    """Do a task; write each candidate into `out` and return its figures and files, likeliest first.

    Args:
        task: what is to be done.
        score: what it is done with.
        model: the folder of a trained model, or the name of one that comes with seqmusic; None for the default.
        request: how candidates are drawn, and what they must obey.
        out: a new folder.
        explain: also write a page for each candidate: how surprising each note is, and what it has in common with a training work.
        say: takes lines for people.
        on_note: told notes of one candidate as they are made, with the place of their voice; not when something is regenerated.

    Raises:
        FormatError: `out` is there already.
        RequestError, UnencodableError: the task cannot be done with this score.
        CheckpointError: there is no such model.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FormatError(f"{out}: is there already; choose another --out")
    folder = model_folder(model)
    trained = load_array_model(folder)
    prompt = replace(
        _prompt(task, score, learned_voice_names(trained.vocabulary)),
        style=_style_number(task.style, folder),
    )
    if score.key is None:
        key = likeliest_key(
            trained, _without_empty_voices(prompt.score), is_whole=task.name != "continue"
        )
        score, prompt = (
            replace(score, key=key),
            replace(prompt, score=replace(prompt.score, key=key)),
        )
    if shift := fitting_shift(prompt.score):
        away = f"{abs(shift)} semitones {'higher' if shift > 0 else 'lower'}"
        say(
            f"What is given lies outside the compass of its voice: composed {away}, and moved back."
        )
    candidates = _candidates(task, trained, score, prompt, request, (say, on_note))
    named = folder.name if folder.parent == PRETRAINED else str(folder)
    made = json.dumps(
        {
            "task": asdict(task),
            "score": score_to_data(score),
            "model": named,
            "request": asdict(request),
        }
    )
    title = score.title or {"continue": "Continuation", "harmonize": "Harmonization"}.get(
        task.name, "Regeneration"
    )
    asked = {name: value for name, value in asdict(request).items() if value not in (None, ())}
    settings = {"task": task.name, "model": named, **asked}
    written, whole_scores, file_names = [], [], []
    for rank, candidate in enumerate(candidates, start=1):
        whole = replace(
            candidate.score,
            source=made,
            title=score.title or f"{title} {rank}",
            tempo_bpm=score.tempo_bpm,
        )
        files = write_candidate(whole, prompt.score, out / str(rank))
        whole_scores.append(whole)
        file_names.append(files)
        figures = {
            "rank": rank,
            "log_probability_per_note": candidate.log_probability_per_note,
            "bits_per_note": -candidate.log_probability_per_note / math.log(2),
            "n_notes": candidate.n_events,
        }
        written.append({**figures, "files": files})
    if explain:
        pages = _write_pages(folder, whole_scores, None if task.scatter else prompt, out, settings)
        for files, page in zip(file_names, pages, strict=True):
            files["html"] = str(page)
    return written


def replay_run(path: Path, out: Path) -> list[dict[str, object]]:
    """Make the result of a file again from the settings written in it.

    Raises:
        RequestError: the file holds no settings of this program.
    """
    try:
        made = json.loads(read_score(path).source)
        told = dict(made["task"])
        bars = tuple(told["bars"]) if isinstance(told["bars"], list) else told["bars"]
        task = Task(**{**told, "bars": bars, "voices": tuple(told["voices"])})
        request = Request(**{**made["request"], "compass": tuple(made["request"]["compass"])})
        score, model = _score_from_json(made["score"]), Path(made["model"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{path}: holds no settings of seqmusic; replay takes a MIDI or MusicXML file that it wrote"
        ) from error
    return compose_run(task, score, model, request, out)


def write_candidate(score: Score, given: Score, stem: Path) -> dict[str, str]:
    """The files written, by kind; notes that were given stand in another color in the pictures."""
    files = {
        suffix: str(write_score(score, stem.with_suffix(f".{suffix}")))
        for suffix in ("mid", "musicxml", "ly")
    }
    own = {
        (voice, _note_identity(note))
        for voice, line in enumerate(given.voices)
        for note in line.notes
    }

    def color(voice: int, note: Note) -> str | None:
        return GIVEN_COLOR if (voice, _note_identity(note)) in own else None

    try:
        from seqmusic.formats.image import write_png, write_svg

        files["svg"] = str(write_svg(score, stem.with_suffix(".svg"), color))
        files["png"] = str(write_png(score, stem.with_suffix(".png"), color))
    except MissingExtraError as error:
        files["picture"] = str(error)
    return files


def _write_pages(
    folder: Path,
    scores: Sequence[Score],
    prompt: Prompt | None,
    out: Path,
    settings: dict[str, object],
) -> list[Path]:
    """A page for each candidate, which explains it."""
    from seqmusic.generation.note_surprise import (
        explain,  # with torch, which nothing else here needs
    )

    index, model, paths = training_copy_index(folder), load_model(folder), []
    for rank, score in enumerate(scores, start=1):
        shared, shortest = (index.longest(score), MIN_SHARED_NOTES) if index else (None, None)
        paths.append(out / f"{rank}.html")
        thoughts = explain(model, score, prompt)
        write_score_page(
            paths[-1],
            score,
            thoughts,
            title=score.title,
            settings=settings,
            shared=shared,
            min_shared_notes=shortest,
        )
    return paths


def training_copy_index(folder: Path) -> CopyIndex | None:
    """What finds passages of the works that a model was trained on; None where they are not chorales of the corpus."""
    try:
        dataset = load_chorales()
        names = {
            name
            for name, entry in read_works(folder / WORKS_FILE).items()
            if entry.split == "train"
        }
    except (SeqmusicError, OSError):
        return None
    known = [work.score for work in dataset.works if work.name in names]
    return CopyIndex(known) if len(known) == len(names) else None


def _style_number(style: str, folder: Path) -> int | None:
    """The number of a style that the model in a folder has learned; None where none is asked for."""
    if not style:
        return None
    styles = kept_styles(read_works(folder / WORKS_FILE).values())
    if style in styles:
        return styles.index(style)
    known = f"it knows {', '.join(styles)}" if styles else "it was trained on works without styles"
    raise RequestError(f"the model in {folder} has learned no style {style!r}; {known}")


def _prompt(task: Task, score: Score, known: Sequence[str]) -> Prompt:
    if task.name == "continue" and isinstance(task.bars, int):
        (voices,) = task.voices or (default_voices(score, known),)
        return continuation_prompt(score, task.bars, voices, known)
    if task.name == "harmonize":
        return harmonization_prompt(score, task.voices, known)
    if task.name == "regenerate" and not isinstance(task.bars, int):
        return regeneration_prompt(score, task.bars, task.voices, known)
    raise ValueError(f"no such task: {task}")


def _candidates(
    task: Task,
    model: DecodableModel,
    score: Score,
    prompt: Prompt,
    request: Request,
    told: tuple[Callable[[str], None], OnNote | None],
) -> list[Candidate]:
    say, on_note = told
    if task.name != "regenerate" or isinstance(task.bars, int):
        return compose_candidates(model, prompt, request, on_note=on_note)
    if not task.scatter:
        return regeneration(model, score, request, bars=task.bars, voices=task.voices)

    def show(candidate: int, round_: int, nats: float) -> None:
        say(f"candidate {candidate + 1}  round {round_:>3}  log-probability {nats:.2f}")

    return revision(
        model,
        score,
        request,
        share=task.scatter,
        rounds=task.rounds,
        bars=task.bars,
        voices=task.voices,
        show=show,
    )


def _without_empty_voices(score: Score) -> Score:
    """The score without the voices that are empty."""
    return replace(score, voices=tuple(voice for voice in score.voices if voice.notes))


def _note_identity(note: Note) -> tuple[int, int, int]:
    return note.onset_ticks, note.duration_ticks, note.pitch


def _score_from_json(told: dict[str, Any]) -> Score:
    voices = tuple(
        Voice(
            str(name),
            tuple(
                Note(int(onset), int(length), int(pitch), bool(fermata))
                for onset, length, pitch, fermata in notes
            ),
        )
        for name, notes in told["voices"]
    )
    signatures = tuple(
        (int(tick), TimeSignature.parse(text)) for tick, text in told["time_signatures"]
    )
    key = Key(**told["key"]) if told["key"] else None
    tempo = float(told["tempo_bpm"]) if told["tempo_bpm"] is not None else None
    return Score(voices, signatures, int(told["pickup_ticks"]), key, tempo, str(told["title"]))

"""From a score and a task to files: compose, write the candidates, and repeat a run from a file."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seqmusic.corpus.works_table import WORKS_FILE, kept_styles, read_works
from seqmusic.errors import FormatError, RequestError
from seqmusic.formats import read_score
from seqmusic.generation.candidate_files import write_candidate, write_pages
from seqmusic.generation.completion import Candidate, OnNote
from seqmusic.generation.composing import compose_candidates, with_voice_names_of
from seqmusic.generation.key_choice import likeliest_key
from seqmusic.generation.prompts import Prompt, fitting_shift
from seqmusic.generation.request import Request
from seqmusic.generation.revision import revision
from seqmusic.generation.search.ranking import Term
from seqmusic.generation.task import Task, json_to_run, run_to_json
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.runs.pretrained import (
    PRETRAINED,
    learned_voice_names,
    load_array_model,
    model_folder,
)
from seqmusic.score import Score

_TITLES = {
    "continue": "Continuation",
    "harmonize": "Harmonization",
    "regenerate": "Regeneration",
}
MIN_COMPILED_BARS = 512  # of fewer, numpy composes before compiled code is loaded
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    """All that candidates were composed from; the score and the prompt have a key."""

    task: Task
    score: Score
    prompt: Prompt
    model: Path
    request: Request

    @property
    def model_name(self) -> str:
        return self.model.name if self.model.parent == PRETRAINED else str(self.model)

    def to_json(self) -> str:
        return run_to_json(self.task, self.score, self.model_name, self.request)

    def settings(self) -> dict[str, object]:
        """What the page of a candidate lists."""
        requested = {k: v for k, v in asdict(self.request).items() if v not in (None, ())}
        return {"task": self.task.name, "model": self.model_name, **requested}


def compose_run(
    task: Task,
    score: Score,
    model: Path | None,
    request: Request,
    out: Path,
    *,
    explain: bool = False,
    on_note: OnNote | None = None,
    terms: Sequence[Term] = (),
) -> list[dict[str, object]]:
    """Do a task; write each candidate into `out` and return its figures and files, best first.

    Args:
        task, score: what is to be done, and with what.
        model: the folder of a trained model, or the name of one that comes with seqmusic; None for
            the default.
        request: how candidates are drawn, and what they must obey.
        out: a new folder.
        explain: also write a page for each candidate.
        on_note: receives the notes of one candidate as they are composed, with the index of their
            voice; not called for a revision in rounds.
        terms: what candidates are ranked by beside likelihood and judge; replaying a file leaves
            them out.

    Raises:
        FormatError: `out` exists already.
        RequestError, UnencodableError: the task cannot be done with this score.
        CheckpointError: there is no such model.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FormatError(f"{out}: exists already; choose another --out")
    folder = model_folder(model)
    compiled = None if _n_composed_bars(task, score, request) >= MIN_COMPILED_BARS else False
    array_model = load_array_model(folder, compiled)
    score, prompt = prompt_with_key(task, score, array_model, folder)
    candidates = _compose(task, array_model, score, prompt, request, on_note, terms)
    run = _Run(task, score, prompt, folder, request)
    return _write_candidates(run, candidates, out, explain=explain)


def _n_composed_bars(task: Task, score: Score, request: Request) -> int:
    """About how many bars of 4/4 a task composes, over all candidates and rounds."""
    n_bars = task.bars if isinstance(task.bars, int) else -(-score.end_ticks // 96)
    return n_bars * request.n * task.rounds


def replay_run(path: Path, out: Path) -> list[dict[str, object]]:
    """Repeat the run that wrote a file, from the settings in the file.

    Raises:
        RequestError: the file holds no settings of this program.
    """
    try:
        task, score, model, request = json_to_run(read_score(path).source)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{path}: holds no settings of seqmusic; "
            "replay takes a MIDI or MusicXML file that it wrote"
        ) from error
    return compose_run(task, score, Path(model), request, out)


def prompt_with_key(
    task: Task, score: Score, model: DecodableModel, folder: Path
) -> tuple[Score, Prompt]:
    """The score and the prompt of a task, in the likeliest key if the score has none."""
    prompt = task.prompt(score, learned_voice_names(model.vocabulary))
    prompt = replace(prompt, style=style_number(task.style, folder))
    if score.key is None:
        voices = tuple(voice for voice in prompt.score.voices if voice.notes)
        sounding = replace(prompt.score, voices=voices)
        key = likeliest_key(model, sounding, is_whole=task.name != "continue")
        score = replace(score, key=key)
        prompt = replace(prompt, score=replace(prompt.score, key=key))
    return score, prompt


def style_number(style: str, folder: Path) -> int | None:
    """The number of a style that the model in a folder has learned; None without a style."""
    if not style:
        return None
    styles = kept_styles(read_works(folder / WORKS_FILE).values())
    if style in styles:
        return styles.index(style)
    known = f"it knows {', '.join(styles)}" if styles else "it was trained on works without styles"
    raise RequestError(f"the model in {folder} has learned no style {style!r}; {known}")


def _compose(
    task: Task,
    model: DecodableModel,
    score: Score,
    prompt: Prompt,
    request: Request,
    on_note: OnNote | None,
    terms: Sequence[Term],
) -> list[Candidate]:
    if shift := fitting_shift(prompt.score):
        logger.warning(
            "What is given lies outside the compass of its voice: "
            "composed %d semitones %s, and moved back.",
            abs(shift),
            "higher" if shift > 0 else "lower",
        )
    if task.name == "regenerate" and task.scatter and not isinstance(task.bars, int):
        return revision(
            model,
            score,
            request,
            share=task.scatter,
            rounds=task.rounds,
            bars=task.bars,
            voices=task.voices,
            terms=terms,
        )
    candidates = compose_candidates(model, prompt, request, on_note=on_note, terms=terms)
    if task.name == "regenerate":
        return [with_voice_names_of(candidate, score) for candidate in candidates]
    return candidates


def _write_candidates(
    run: _Run, candidates: Sequence[Candidate], out: Path, *, explain: bool
) -> list[dict[str, object]]:
    """Figures and files of each candidate, which are written into `out`."""
    scores = _titled_scores(run, candidates)
    files = [
        write_candidate(score, run.prompt.score, out / str(rank))
        for rank, score in enumerate(scores, start=1)
    ]
    if explain:
        prompt = None if run.task.scatter else run.prompt
        pages = write_pages(run.model, scores, prompt, out, run.settings())
        for paths, page in zip(files, pages, strict=True):
            paths["html"] = str(page)
    return [
        {
            "rank": rank,
            "log_probability_per_note": candidate.log_probability_per_note,
            "bits_per_note": -candidate.log_probability_per_note / math.log(2),
            "n_notes": candidate.n_events,
            "files": paths,
        }
        for rank, (candidate, paths) in enumerate(zip(candidates, files, strict=True), start=1)
    ]


def _titled_scores(run: _Run, candidates: Sequence[Candidate]) -> list[Score]:
    """The scores of the candidates with title, tempo, and the settings of the run."""
    settings = run.to_json()
    return [
        replace(
            candidate.score,
            source=settings,
            title=run.score.title or f"{_TITLES[run.task.name]} {rank}",
            tempo_bpm=run.score.tempo_bpm,
        )
        for rank, candidate in enumerate(candidates, start=1)
    ]

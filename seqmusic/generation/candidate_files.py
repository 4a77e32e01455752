"""The files of a candidate: scores, pictures, and a page that explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.works_table import WORKS_FILE, read_works
from seqmusic.errors import MissingExtraError, SeqmusicError
from seqmusic.formats import write_score
from seqmusic.generation.prompts import Prompt
from seqmusic.metrics.originality import CopyIndex
from seqmusic.report.score_page import write_score_page
from seqmusic.runs.pretrained import load_model
from seqmusic.score import Note, Score

GIVEN_COLOR = "#1f6fb2"
# Held-out chorales share 14 notes in the median with a training work, their sopranos 8.
MIN_SHARED_NOTES = 8


def write_candidate(score: Score, given: Score, stem: Path) -> dict[str, str]:
    """The files written, by kind; given notes have another color in the pictures.

    Args:
        score: the candidate.
        given: the score it was composed from.
        stem: the path of the files, without their endings.
    """
    files = {
        suffix: str(write_score(score, stem.with_suffix(f".{suffix}")))
        for suffix in ("mid", "musicxml", "ly")
    }
    given_notes = {
        (index, note.onset_ticks, note.duration_ticks, note.pitch)
        for index, voice in enumerate(given.voices)
        for note in voice.notes
    }

    def color(voice: int, note: Note) -> str | None:
        identity = voice, note.onset_ticks, note.duration_ticks, note.pitch
        return GIVEN_COLOR if identity in given_notes else None

    try:
        from seqmusic.formats.image import write_png, write_svg

        files["svg"] = str(write_svg(score, stem.with_suffix(".svg"), color))
        files["png"] = str(write_png(score, stem.with_suffix(".png"), color))
    except MissingExtraError as error:
        files["picture"] = str(error)
    return files


def write_pages(
    model: Path,
    scores: Sequence[Score],
    prompt: Prompt | None,
    out: Path,
    settings: Mapping[str, object],
) -> list[Path]:
    """The pages written, one per candidate, which explain it.

    Args:
        model: the folder of the model that composed.
        scores: the candidates.
        prompt: what they were composed from; None if all of their notes count as composed.
        out: the folder of the pages.
        settings: what the scores were composed with, by name.
    """
    from seqmusic.generation.note_surprise import explain  # needs torch, unlike all else here

    index, explaining_model, paths = training_copy_index(model), load_model(model), []
    for rank, score in enumerate(scores, start=1):
        page = write_score_page(
            out / f"{rank}.html",
            score,
            explain(explaining_model, score, prompt),
            title=score.title,
            settings=settings,
            shared=index.longest(score) if index else None,
            min_shared_notes=MIN_SHARED_NOTES if index else None,
        )
        paths.append(page)
    return paths


def training_copy_index(model: Path) -> CopyIndex | None:
    """Index of the works a model was trained on; None if they are not chorales of the corpus."""
    try:
        dataset = load_chorales()
        entries = read_works(model / WORKS_FILE)
    except (SeqmusicError, OSError):
        return None
    names = {name for name, entry in entries.items() if entry.split == "train"}
    known = [work.score for work in dataset.works if work.name in names]
    return CopyIndex(known) if len(known) == len(names) else None


def training_copied_notes(model: Path) -> Callable[[Score], int]:
    """A function of a score: notes of the longest passage that a training work has, too.

    It is always 0 for a model whose works are not chorales of the corpus.
    """
    index = training_copy_index(model)

    def copied_notes(score: Score) -> int:
        passage = index.longest(score) if index else None
        return passage.n_notes if passage else 0

    return copied_notes

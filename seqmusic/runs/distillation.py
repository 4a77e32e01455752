"""What a run learns from its teachers: their predictions, and pieces that they compose."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from seqmusic.errors import CheckpointError, RequestError
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.request import Request
from seqmusic.model.settings import Vocabulary
from seqmusic.progress import track
from seqmusic.runs.pretrained import load_array_model, load_model
from seqmusic.score import Score
from seqmusic.tokens.piece_files import load_pieces, save_pieces
from seqmusic.tokens.pieces import Pieces, packed_columns
from seqmusic.tokens.vocabulary import BODY, STYLE, is_style
from seqmusic.training.loss import Teachers
from seqmusic.training.settings import DistillationSettings


def load_teachers(
    settings: DistillationSettings, vocabulary: Vocabulary, device: torch.device
) -> Teachers | None:
    """The teachers that the settings name, None for none.

    Raises:
        CheckpointError: one is no trained model, or has learned other tokens than `vocabulary`.
    """
    models = []
    for name in settings.teacher_names:
        models.append(load_model(Path(name)).to(device).requires_grad_(False).eval())
        if models[-1].vocabulary != vocabulary:
            raise CheckpointError(
                f"{name}: cannot teach this model, because it was trained on other voices or marks"
            )
    return Teachers(models, settings.weight, settings.temperature) if models else None


def compose_pieces(pieces: Pieces, settings: DistillationSettings, folder: Path, seed: int) -> None:
    """Let the teachers compose, and keep in a folder what they compose, if it is not there yet.

    Args:
        pieces: the training pieces, whose headers they are asked for.
        settings: how many are composed, and by whom.
        folder: where they are kept.
        seed: another seed gives other pieces.

    Raises:
        CheckpointError: a teacher is no trained model, or all pieces grew too long.
    """
    if settings.composed and settings.teacher_names and not folder.is_dir():
        found = list(_composed(pieces, settings, seed))
        if not found:
            raise CheckpointError(
                f"{settings.teachers}: found the end of no piece; train the teachers for longer"
            )
        scores, styles = zip(*found, strict=True)
        new = folder.with_name(f".{folder.name}")
        shutil.rmtree(new, ignore_errors=True)
        save_pieces([packed_columns(scores, styles)], new)
        new.rename(folder)


def with_composed_pieces(pieces: Pieces, settings: DistillationSettings, folder: Path) -> Pieces:
    """The pieces, each as often as the share of composed ones demands, and those in the folder."""
    if not folder.is_dir():
        return pieces
    composed, share = load_pieces(folder), settings.composed_share
    n_times = max(1, round(len(composed) * (1 - share) / share / len(pieces))) if share else 1
    return pieces.subset(list(range(len(pieces))) * n_times).joined(composed)


def _composed(
    pieces: Pieces, settings: DistillationSettings, seed: int
) -> Iterator[tuple[Score, int | None]]:
    """Pieces with the headers of the given ones, each with its style; the teachers take turns."""
    models = [load_array_model(Path(name)) for name in settings.teacher_names]
    headers = pieces.take(range(len(pieces))).headers
    for number, header in enumerate(track(headers, "composing", "piece")):
        style = next((sound - STYLE for sound, _ in header if is_style(sound)), None)
        request = Request(
            n=settings.composed, temperature=settings.temperature, seed=seed + number, lenience=1.0
        )
        model = models[number % len(models)]
        try:
            found = complete(model, [*header, (BODY, 0)], request, Constraints(compass={}))
        except RequestError:  # one of them found no end
            continue
        yield from ((candidate.score, style) for candidate in found)

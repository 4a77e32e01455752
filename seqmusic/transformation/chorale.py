"""A piece recast as a chorale: its melody, made singable, harmonized in four voices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import harmonization
from seqmusic.generation.request import Request
from seqmusic.metrics.voice_leading import crossings, parallels
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.score import Score
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tonality import tonic_pitch_class
from seqmusic.transformation.singable_melody import singable_melody
from seqmusic.transformation.tenor_checks import Check


@dataclass(frozen=True, kw_only=True)
class ChoraleSettings:
    """How a piece becomes a chorale.

    Attributes:
        notes: How many notes of the melody are taken; by default whole phrases.
    """

    notes: int | None = None


def compose_chorale(
    model: DecodableModel, source: Score, settings: ChoraleSettings, request: Request
) -> tuple[list[Candidate], Score, tuple[str, ...]]:
    """Candidates of a chorale on the melody of a piece, that melody, and sentences about it.

    Args:
        model: a trained model of soprano, alto, tenor and bass.
        source: any piece with a melody.
        settings: how much of it is taken.
        request: how candidates are drawn.

    Raises:
        RequestError: there is no melody, or the model knows other voices.
    """
    soprano, sentences = singable_melody(source, settings.notes)
    return harmonization(model, soprano, request), soprano, tuple(sentences)


def check_chorale(soprano: Score, score: Score) -> Iterator[Check]:
    """Whether a chorale is what it should be, item by item.

    Args:
        soprano: the melody.
        score: the chorale.
    """
    lines = [
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
        for voice in (soprano.voices[0], score.voices[0])
    ]
    yield Check("melody", lines[0] == lines[1], "The soprano is the melody, note by note.")
    n_phrases = sum(note.fermata for note in score.voices[0].notes)
    yield Check("phrases", n_phrases > 0, f"It has {n_phrases} phrases with fermatas.")
    outside = [
        voice.name
        for voice in score.voices
        if voice.compass and not _is_within(voice.compass, COMPASS[voice.name])
    ]
    text = "All voices keep the compass of the chorales."
    if outside:
        text = f"Outside the compass of the chorales: {', '.join(outside)}."
    yield Check("compass", not outside, text)
    n_parallels, n_crossings = len(parallels(score)), crossings(score).hits
    text = (
        f"It has {n_parallels} parallel fifths and octaves, and crossed voices in {n_crossings} "
        "sixteenths."
    )
    yield Check("voice_leading", None, text, {"parallels": n_parallels, "crossings": n_crossings})
    yield _final_check(score)


def _is_within(compass: tuple[int, int], limits: tuple[int, int]) -> bool:
    return limits[0] <= compass[0] and compass[1] <= limits[1]


def _final_check(score: Score) -> Check:
    bass = score.voices[-1].notes[-1]
    is_tonic = score.key is not None and bass.pitch % 12 == tonic_pitch_class(score.key)
    text = "It ends on the tonic." if is_tonic else "It does not end on the tonic."
    return Check("final", None, text, {"is_tonic": is_tonic})

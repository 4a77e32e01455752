"""All techniques of a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqmusic.recognition.techniques.cantus_firmus import CantusFirmus, find_cantus_firmus
from seqmusic.recognition.techniques.ground_bass import Ostinato, find_ostinatos
from seqmusic.recognition.techniques.imitation import Imitation, find_imitations
from seqmusic.recognition.techniques.isorhythm import (
    Isorhythm,
    find_isorhythms,
    is_panisorhythmic,
)
from seqmusic.recognition.techniques.texture import Texture, texture_of
from seqmusic.score import Score

MAX_VOICES = 12
"""In a score of more voices imitation is not searched for."""
MAX_IMITATIONS = 4


@dataclass(frozen=True, slots=True)
class Techniques:
    """What the rules found in a score.

    Attributes:
        isorhythms: of each isorhythmic voice, from high to low.
        is_panisorhythmic: whether all voices repeat taleae of the same length.
        canons: strict imitation, the strongest first.
        imitations: the strongest others, at most four.
        ostinatos: of each voice that has one; a ground bass is that of the lowest voice.
        cantus_firmus: None without one.
        texture: None for a single voice.
    """

    isorhythms: tuple[Isorhythm, ...]
    is_panisorhythmic: bool
    canons: tuple[Imitation, ...]
    imitations: tuple[Imitation, ...]
    ostinatos: tuple[Ostinato, ...]
    cantus_firmus: CantusFirmus | None
    texture: Texture | None


def find_techniques(score: Score, tunes: Mapping[str, Sequence[int]] | None = None) -> Techniques:
    """The techniques of a score, each by its rule.

    Args:
        score: of any kind.
        tunes: MIDI numbers of the notes of tunes that a cantus firmus may sing, by name.
    """
    isorhythms = find_isorhythms(score)
    imitations = find_imitations(score) if len(score.voices) <= MAX_VOICES else ()
    others = [imitation for imitation in imitations if not imitation.is_canon]
    return Techniques(
        isorhythms=isorhythms,
        is_panisorhythmic=is_panisorhythmic(score, isorhythms),
        canons=tuple(imitation for imitation in imitations if imitation.is_canon),
        imitations=tuple(others[:MAX_IMITATIONS]),
        ostinatos=find_ostinatos(score),
        cantus_firmus=find_cantus_firmus(score, tunes),
        texture=texture_of(score),
    )

"""What each format keeps of a score: told before it is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqmusic.formats.csv.grid import n_repeated_notes
from seqmusic.formats.csv.notes import column_names
from seqmusic.score import SATB, Score


def _n_fermatas(score: Score) -> int:
    return sum(note.fermata for voice in score.voices for note in voice.notes)


def _n_silent_voices(score: Score) -> int:
    return sum(not voice.notes for voice in score.voices)


def _voice_names(score: Score) -> tuple[str, ...]:
    return tuple(voice.name for voice in score.voices)


_METADATA_RULES: tuple[Callable[[Score], str | bool], ...] = (
    lambda score: bool(score.time_signatures) and "time signatures, and with them the bars",
    lambda score: score.key is not None and "the key",
    lambda score: score.tempo_bpm is not None and "the tempo",
    lambda score: bool(count := _n_fermatas(score)) and f"fermatas: {count}",
    lambda score: bool(score.title) and "the title",
)
_REPEAT_RULES: tuple[Callable[[Score], str | bool], ...] = (
    lambda score: (
        bool(count := n_repeated_notes(score))
        and f"notes repeated at once, which will be read as held: {count}"
    ),
)
_LOSS_RULES: dict[str, tuple[Callable[[Score], str | bool], ...]] = {
    "notes": (
        lambda score: (
            column_names(score) != _voice_names(score)
            and "the names of voices, which are not different ones"
        ),
        lambda score: bool(count := _n_silent_voices(score)) and f"voices without notes: {count}",
        *_METADATA_RULES,
    ),
    "grid": (
        lambda score: (
            column_names(score) != _voice_names(score)
            and "the names of voices, which are not different ones"
        ),
        *_REPEAT_RULES,
        *_METADATA_RULES,
    ),
    ".json": (
        lambda score: _voice_names(score) != SATB and "the names of voices",
        *_REPEAT_RULES,
        *_METADATA_RULES,
    ),
    ".mid": (
        lambda score: (
            bool(count := _n_fermatas(score))
            and f"for other programs, fermatas (kept in markers of seqmusic): {count}"
        ),
        lambda score: (
            score.pickup_ticks > 0
            and "for some programs, that the first bar is a pickup (kept in markers of seqmusic)"
        ),
    ),
}


def conversion_losses(score: Score, path: Path, layout: str = "notes") -> tuple[str, ...]:
    """What a file of this ending will not hold of a score, a few words each; empty where it holds all.

    Args:
        score: what is written.
        path: of the file; only its ending counts. Those that cannot be read back (.ly, .svg, .png) lose nothing that a page shows.
        layout: of a CSV file, "notes" or "grid".

    >>> from seqmusic.score import Note, melody
    >>> conversion_losses(melody([Note(0, 24, 60), Note(24, 24, 60)], time_signatures=()), Path("a.csv"), "grid")
    ('notes repeated at once, which will be read as held: 1',)
    """
    ending = path.suffix.lower()
    kind = layout if ending == ".csv" else ".mid" if ending == ".midi" else ending
    return tuple(told for rule in _LOSS_RULES.get(kind, ()) if isinstance(told := rule(score), str))

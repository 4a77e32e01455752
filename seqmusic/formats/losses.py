"""What each format keeps of a score: told before it is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqmusic.formats.csv.grid import n_repeated
from seqmusic.formats.csv.notes import column_names
from seqmusic.score import SATB, Score


def _n_fermatas(score: Score) -> int:
    return sum(note.fermata for voice in score.voices for note in voice.notes)


def _silent(score: Score) -> int:
    return sum(not voice.notes for voice in score.voices)


def _names(score: Score) -> tuple[str, ...]:
    return tuple(voice.name for voice in score.voices)


_METER: tuple[Callable[[Score], str | bool], ...] = (
    lambda score: bool(score.time_signatures) and "time signatures, and with them the bars",
    lambda score: score.key is not None and "the key",
    lambda score: score.tempo_bpm is not None and "the tempo",
    lambda score: bool(count := _n_fermatas(score)) and f"fermatas: {count}",
    lambda score: bool(score.title) and "the title",
)
_REPEATED: tuple[Callable[[Score], str | bool], ...] = (
    lambda score: (
        bool(count := n_repeated(score))
        and f"notes repeated at once, which will be read as held: {count}"
    ),
)
_LOST: dict[str, tuple[Callable[[Score], str | bool], ...]] = {
    "notes": (
        lambda score: (
            column_names(score) != _names(score)
            and "the names of voices, which are not different ones"
        ),
        lambda score: bool(count := _silent(score)) and f"voices without notes: {count}",
        *_METER,
    ),
    "grid": (
        lambda score: (
            column_names(score) != _names(score)
            and "the names of voices, which are not different ones"
        ),
        *_REPEATED,
        *_METER,
    ),
    ".json": (lambda score: _names(score) != SATB and "the names of voices", *_REPEATED, *_METER),
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


def not_kept(score: Score, path: Path, layout: str = "notes") -> tuple[str, ...]:
    """What a file of this ending will not hold of a score, a few words each; empty where it holds all.

    Args:
        score: what is written.
        path: of the file; only its ending counts. Those that cannot be read back (.ly, .svg, .png) lose nothing that a page shows.
        layout: of a CSV file, "notes" or "grid".

    >>> from seqmusic.score import Note, melody
    >>> not_kept(melody([Note(0, 24, 60), Note(24, 24, 60)], time_signatures=()), Path("a.csv"), "grid")
    ('notes repeated at once, which will be read as held: 1',)
    """
    ending = path.suffix.lower()
    kind = layout if ending == ".csv" else ".mid" if ending == ".midi" else ending
    return tuple(told for rule in _LOST.get(kind, ()) if isinstance(told := rule(score), str))

"""What each format keeps of a score, reported before the rest is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqmusic.formats.csv.grid import n_repeated_notes
from seqmusic.formats.csv.notes import column_names
from seqmusic.score import SATB, Score


def conversion_losses(score: Score, path: Path, layout: str = "notes") -> tuple[str, ...]:
    """What a file of this ending will not hold of a score, as short phrases; empty for nothing.

    Args:
        score: what is written.
        path: of the file; only its ending counts. Those that cannot be read back (.ly, .svg, .png)
            lose nothing that a page shows.
        layout: of a CSV file, "notes" or "grid".

    >>> from seqmusic.score import Note, melody
    >>> repeated = melody([Note(0, 24, 60), Note(24, 24, 60)], time_signatures=())
    >>> conversion_losses(repeated, Path("a.csv"), "grid")
    ('notes repeated at once, which will be read as held: 1',)
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        losses = _grid_losses(score) if layout == "grid" else _note_list_losses(score)
    elif ending == ".json":
        losses = _pitch_table_losses(score)
    elif ending in (".mid", ".midi"):
        losses = _midi_losses(score)
    else:
        return ()
    return tuple(losses)


def _note_list_losses(score: Score) -> Iterator[str]:
    yield from _csv_name_losses(score)
    if n_silent := sum(not voice.notes for voice in score.voices):
        yield f"voices without notes: {n_silent}"
    yield from _metadata_losses(score)


def _grid_losses(score: Score) -> Iterator[str]:
    yield from _csv_name_losses(score)
    yield from _repeat_losses(score)
    yield from _metadata_losses(score)


def _pitch_table_losses(score: Score) -> Iterator[str]:
    if _voice_names(score) != SATB:
        yield "the names of voices"
    yield from _repeat_losses(score)
    yield from _metadata_losses(score)


def _midi_losses(score: Score) -> Iterator[str]:
    if n_fermatas := _n_fermatas(score):
        yield f"for other programs, fermatas (kept in markers of seqmusic): {n_fermatas}"
    if score.pickup_ticks:
        pickup = "that the first bar is a pickup"
        yield f"for some programs, {pickup} (kept in markers of seqmusic)"


def _csv_name_losses(score: Score) -> Iterator[str]:
    if column_names(score) != _voice_names(score):
        yield "the names of voices, which are not different ones"


def _repeat_losses(score: Score) -> Iterator[str]:
    if n_repeated := n_repeated_notes(score):
        yield f"notes repeated at once, which will be read as held: {n_repeated}"


def _metadata_losses(score: Score) -> Iterator[str]:
    if score.time_signatures:
        yield "time signatures, and with them the bars"
    if score.key is not None:
        yield "the key"
    if score.tempo_bpm is not None:
        yield "the tempo"
    if n_fermatas := _n_fermatas(score):
        yield f"fermatas: {n_fermatas}"
    if score.title:
        yield "the title"


def _voice_names(score: Score) -> tuple[str, ...]:
    return tuple(voice.name for voice in score.voices)


def _n_fermatas(score: Score) -> int:
    return sum(note.fermata for voice in score.voices for note in voice.notes)

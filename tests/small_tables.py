"""CSV tables as texts, and the notes read from them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, settings

from seqmusic.formats import ReadReport, read_with_report
from seqmusic.score import Score


def read_text(tmp_path: Path, text: str | bytes, step_ticks: int | None = None) -> ReadReport:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return read_with_report(path, step_ticks)


def notes_by_voice(score: Score) -> list[list[tuple[int, int, int]]]:
    return [
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
        for voice in score.voices
    ]


TABLE_SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

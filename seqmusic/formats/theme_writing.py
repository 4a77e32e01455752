"""The voices of a score written as themes that people could have typed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from seqmusic.formats.printed_events import voice_spans
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Score, Voice
from seqmusic.spelling import VoiceSpelling

FERMATA = "^"


def voice_text(voice: Voice, spellings: VoiceSpelling, score: Score) -> str:
    """The tokens of a voice of a score, with its bar lines."""
    bars = score.bars(max(voice.end_ticks, score.pickup_ticks)) or score.bars(1)
    starts = [bar.onset_ticks for bar in bars] or [0]
    is_only_pickup = len(bars) == 1 and score.pickup_ticks
    ends = [*starts[1:], bars[-1].end_ticks if is_only_pickup else voice.end_ticks]
    tokens: list[str] = []
    value_ticks = TICKS_PER_QUARTER
    for start, end in zip(starts, ends, strict=True):
        if tokens:
            tokens.append("|")
        for sound, ticks, fermata in _sounds(voice, start, end, spellings):
            value = "" if ticks == value_ticks else f":{Fraction(ticks, TICKS_PER_WHOLE)}"
            tokens.append(sound + value + fermata)
            value_ticks = ticks
    if is_only_pickup:
        tokens.append("|")
    return " ".join(tokens) or "R"


def _sounds(
    voice: Voice, start: int, end: int, spellings: VoiceSpelling
) -> Iterator[tuple[str, int, str]]:
    """Each sound in [start, end), its length in ticks, and its fermata or "".

    A note from before `start` is held.
    """
    for onset, stop, note in voice_spans(voice, start, end):
        if note is None:
            yield "R", stop - onset, ""
        elif onset > note.onset_ticks:
            yield "_", stop - onset, ""
        else:
            yield str(spellings[onset]), stop - onset, FERMATA if note.fermata else ""

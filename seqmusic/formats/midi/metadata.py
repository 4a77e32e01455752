"""What MIDI has no event for, as JSON in marker events.

That is the pickup, fermatas, the exact tempo, a key without mode, the names of silent voices, title
and source. The text is ASCII, so that no character set can damage it, and is cut into pieces that
every reader accepts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seqmusic.errors import CorruptFileError
from seqmusic.score import Key, Score, TimeSignature

MIN_BPM = 3.6  # a tempo event holds 1 to 2**24 - 1 microseconds to a quarter note
MAX_BPM = 60e6
DEFAULT_BPM = 120.0  # of a file without a tempo event
METADATA_PREFIX = "seqmusic: "
_MAX_MARKER_CHARACTERS = 500_000
_PARSING_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class ScoreMetadata:
    """What the markers of a file hold of its score.

    Attributes:
        title: as in the score, and so the next five.
        source: long JSON text, as a rule.
        pickup_ticks: length of the bar before bar 1.
        time_signatures: (tick, time signature) pairs.
        key: with its mode, if any.
        tempo_bpm: exact, None where the score has none.
        voices: (name, number of notes) of each voice, silent ones too.
        fermatas: (index of the voice, onset in ticks) of each note with a fermata.
    """

    title: str
    source: str
    pickup_ticks: int
    time_signatures: tuple[tuple[int, TimeSignature], ...]
    key: Key | None
    tempo_bpm: float | None
    voices: tuple[tuple[str, int], ...]
    fermatas: frozenset[tuple[int, int]]


def metadata_markers(score: Score) -> Iterator[str]:
    """Texts of the markers that hold what the events cannot."""
    fields = {
        "title": score.title,
        "source": score.source,
        "pickup_ticks": score.pickup_ticks,
        "time_signatures": [[tick, str(signature)] for tick, signature in score.time_signatures],
        "key": [score.key.sharps, score.key.mode] if score.key else None,
        "tempo_bpm": score.tempo_bpm,
        "voices": [[voice.name, len(voice.notes)] for voice in score.voices],
        "fermatas": [
            [index, note.onset_ticks]
            for index, voice in enumerate(score.voices)
            for note in voice.notes
            if note.fermata
        ],
    }
    text = json.dumps(fields)
    for start in range(0, len(text), _MAX_MARKER_CHARACTERS):
        yield METADATA_PREFIX + text[start : start + _MAX_MARKER_CHARACTERS]


def parse_metadata_markers(texts: Iterable[str], file_name: str) -> ScoreMetadata | None:
    """The contents of the markers of this package among `texts`; None where there are none.

    Raises:
        CorruptFileError: they are not what `metadata_markers` writes.
    """
    pieces = (
        text.removeprefix(METADATA_PREFIX) for text in texts if text.startswith(METADATA_PREFIX)
    )
    text = "".join(pieces)
    if not text:
        return None
    try:
        return _parse_metadata(text)
    except _PARSING_ERRORS as error:
        problem = f"{file_name}: its markers 'seqmusic: ...' are damaged"
        raise CorruptFileError(f"{problem}; remove them to read the notes alone") from error


def _parse_metadata(text: str) -> ScoreMetadata:
    fields = json.loads(text)
    tempo_bpm = fields["tempo_bpm"]
    if tempo_bpm is not None and not MIN_BPM <= tempo_bpm <= MAX_BPM:
        raise ValueError(f"tempo {tempo_bpm}")
    return ScoreMetadata(
        str(fields["title"]),
        str(fields["source"]),
        int(fields["pickup_ticks"]),
        tuple(
            (int(tick), TimeSignature.parse(signature))
            for tick, signature in fields["time_signatures"]
        ),
        Key(int(fields["key"][0]), str(fields["key"][1])) if fields["key"] is not None else None,
        None if tempo_bpm is None else float(tempo_bpm),
        tuple((str(voice), int(n_notes)) for voice, n_notes in fields["voices"]),
        frozenset((int(voice), int(tick)) for voice, tick in fields["fermatas"]),
    )

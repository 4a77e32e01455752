"""What MIDI has no event for (pickup, fermatas, exact tempo, key without mode, title, source), as JSON in marker events.

The text is ASCII, so that no character set can damage it, and is cut into pieces that every reader takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seqmusic.errors import CorruptFileError
from seqmusic.score import Key, Score, TimeSignature

MIN_BPM = 3.6  # what a tempo event can say: 1 to 2**24 - 1 microseconds to a quarter note
MAX_BPM = 60e6
_PREFIX = "seqmusic: "
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
    """What the markers of a file say about its score.

    Attributes:
        title: as in the score, and so the next five.
        source: long JSON text, as a rule.
        pickup_ticks: length of the bar before bar 1.
        time_signatures: as in the score.
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
    """Texts of the markers that say what the events cannot."""
    fields = {
        "title": score.title,
        "source": score.source,
        "pickup_ticks": score.pickup_ticks,
        "time_signatures": [[tick, str(signature)] for tick, signature in score.time_signatures],
        "key": [score.key.sharps, score.key.mode] if score.key else None,
        "tempo_bpm": score.tempo_bpm,
        "voices": [[voice.name, len(voice.notes)] for voice in score.voices],
        "fermatas": [
            [i, note.onset_ticks]
            for i, voice in enumerate(score.voices)
            for note in voice.notes
            if note.fermata
        ],
    }
    text = json.dumps(fields)
    for start in range(0, len(text), _MAX_MARKER_CHARACTERS):
        yield _PREFIX + text[start : start + _MAX_MARKER_CHARACTERS]


def parse_metadata_markers(texts: Iterable[str], name: str) -> ScoreMetadata | None:
    """What the markers among `texts` say; None where there are none of ours.

    Raises:
        CorruptFileError: they are not what `metadata_markers` writes.
    """
    text = "".join(text[len(_PREFIX) :] for text in texts if text.startswith(_PREFIX))
    if not text:
        return None
    try:
        return _parse_metadata(text)
    except _PARSING_ERRORS as error:
        raise CorruptFileError(
            f"{name}: its markers 'seqmusic: ...' are damaged; remove them to read the notes alone"
        ) from error


def _parse_metadata(text: str) -> ScoreMetadata:
    fields = json.loads(text)
    tempo = fields["tempo_bpm"]
    if tempo is not None and not MIN_BPM <= tempo <= MAX_BPM:
        raise ValueError(f"tempo {tempo}")
    return ScoreMetadata(
        str(fields["title"]),
        str(fields["source"]),
        int(fields["pickup_ticks"]),
        tuple(
            (int(tick), TimeSignature.parse(signature))
            for tick, signature in fields["time_signatures"]
        ),
        Key(int(fields["key"][0]), str(fields["key"][1])) if fields["key"] is not None else None,
        None if tempo is None else float(tempo),
        tuple((str(voice), int(n_notes)) for voice, n_notes in fields["voices"]),
        frozenset((int(voice), int(tick)) for voice, tick in fields["fermatas"]),
    )

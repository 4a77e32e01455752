"""A score as plain data: dictionaries, lists, texts and numbers, as JSON holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from seqmusic.score import Key, Note, Score, TimeSignature, Voice


def score_metadata(score: Score) -> dict[str, Any]:
    """All of a score but its notes; of its voices the names."""
    return {
        "voices": [voice.name for voice in score.voices],
        "time_signatures": [(tick, str(signature)) for tick, signature in score.time_signatures],
        "pickup_ticks": score.pickup_ticks,
        "key": score.key and (score.key.sharps, score.key.mode),
        "tempo_bpm": score.tempo_bpm,
        "title": score.title,
        "source": score.source,
    }


def metadata_to_score(metadata: dict[str, Any], notes: Iterator[tuple[Note, ...]]) -> Score:
    """The score of its metadata and the notes of its voices, which are the next of `notes`."""
    return Score(
        voices=tuple(Voice(name, next(notes)) for name in metadata["voices"]),
        time_signatures=tuple(
            (tick, TimeSignature.parse(text)) for tick, text in metadata["time_signatures"]
        ),
        pickup_ticks=metadata["pickup_ticks"],
        key=metadata["key"] and Key(*metadata["key"]),
        tempo_bpm=metadata["tempo_bpm"],
        title=metadata["title"],
        source=metadata["source"],
    )


def score_to_data(score: Score) -> dict[str, Any]:
    """All of a score but its source; a note is [onset, duration, pitch, whether it has a fermata].

    >>> score_to_data(Score((Voice("Soprano", (Note(0, 24, 60),)),)))["voices"]
    [['Soprano', [[0, 24, 60, 0]]]]
    """
    data = score_metadata(score)
    del data["source"]
    return data | {
        "voices": [
            [
                voice.name,
                [[n.onset_ticks, n.duration_ticks, n.pitch, int(n.fermata)] for n in voice.notes],
            ]
            for voice in score.voices
        ],
        "key": score.key and asdict(score.key),
    }


def data_to_score(data: dict[str, Any]) -> Score:
    """The score of its plain data, the inverse of `score_to_data`.

    Raises:
        ValueError, KeyError, TypeError: the data are not those of a score.
    """
    notes = (
        tuple(
            Note(int(onset), int(ticks), int(pitch), bool(fermata))
            for onset, ticks, pitch, fermata in rows
        )
        for _, rows in data["voices"]
    )
    key, tempo = data["key"], data["tempo_bpm"]
    metadata = {
        "voices": [str(name) for name, _ in data["voices"]],
        "time_signatures": [(int(tick), text) for tick, text in data["time_signatures"]],
        "pickup_ticks": int(data["pickup_ticks"]),
        "key": key and (key["sharps"], key["mode"]),
        "tempo_bpm": None if tempo is None else float(tempo),
        "title": str(data["title"]),
        "source": "",
    }
    return metadata_to_score(metadata, notes)

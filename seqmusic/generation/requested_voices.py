"""Names of voices: which voices of a model a request means, and which of them a score holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqmusic.errors import RequestError
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.vocabulary import MAX_VOICES


def default_voices(score: Score, model_voices: Sequence[str] = SATB) -> str:
    """The `voices` of `continuation_prompt` that suit a score.

    Args:
        score: the beginning.
        model_voices: names of the voices that the model has learned.

    Returns:
        "melody" for one voice; for more, "satb", or their number if the model has learned numbered
        voices.
    """
    if len(score.voices) == 1:
        return "melody"
    return "satb" if tuple(model_voices) == SATB else str(len(score.voices))


def requested_voice_names(voices: str, model_voices: Sequence[str]) -> tuple[str, ...]:
    """Names, as the model knows them, of "melody", "satb", or a number of voices.

    Raises:
        ValueError: `voices` is neither of these.
        RequestError: the model has learned fewer voices, or only four together.
    """
    n_voices = {"melody": 1, "satb": 4}.get(voices, 0)
    if voices.isascii() and voices.isdigit():
        n_voices = int(voices)
    if not 1 <= n_voices <= MAX_VOICES:
        raise ValueError(
            f"voices must be melody, satb or a number in 1..{MAX_VOICES}, got {voices!r}"
        )
    is_satb = tuple(model_voices) == SATB
    if n_voices > len(model_voices) or (is_satb and n_voices not in (1, len(SATB))):
        raise RequestError(
            f"this model has learned {', '.join(model_voices)}; it cannot compose {n_voices} voices"
        )
    return tuple(model_voices[:n_voices])


def matching_voice_names(score: Score, names: Sequence[str]) -> tuple[str, ...]:
    """Which of the requested voices those of a score are.

    One voice, all of them, and numbered voices are matched in order, other voices by name.

    Raises:
        RequestError: the score has other voices than those requested.
    """
    score_names = tuple(voice.name for voice in score.voices)
    n_voices, is_numbered = len(score_names), names[0] not in SATB
    if n_voices in (1, len(names)) or (n_voices < len(names) and is_numbered):
        return tuple(names[:n_voices])
    if len(set(score_names)) == n_voices and set(score_names) <= set(names):
        return score_names
    if len(names) == 1:
        raise RequestError(
            f"the theme has {n_voices} voices, and a melody has one; "
            "request --voices satb, or give one voice"
        )
    if is_numbered:
        raise RequestError(
            f"there are {n_voices} voices, but {len(names)} are requested; "
            f"request --voices {n_voices} or more"
        )
    raise RequestError(
        f"there are {n_voices} voices ({', '.join(score_names)}); "
        f"give one voice, four, or some named {', '.join(SATB)}"
    )


def parse_voice_name(text: str, names: Sequence[str] = SATB) -> str:
    """The voice that a text such as "alto", "a" or, of numbered voices, "3" names.

    Raises:
        RequestError: it names none of the voices.
    """
    choices = tuple(names) if names[0] not in SATB else SATB
    for name in choices:
        short = name[0].lower() if name in SATB else name.removeprefix("Voice ")
        if text.strip().lower() in (name.lower(), short):
            return name
    raise RequestError(
        f"a voice is one of {', '.join(name.lower() for name in choices)}, got {text!r}"
    )


def selected_voices(score: Score, names: Sequence[str], voices: Sequence[str]) -> set[str]:
    """The selected voices of a score, as the model knows them; all if none is selected.

    Args:
        score: its voices may be selected by their own names, too.
        names: names of the score's voices, as the model knows them.
        voices: texts that name the selected voices.

    Raises:
        RequestError: there is no such voice.
    """
    pairs = zip(names, score.voices, strict=True)
    by_score_name = {voice.name.lower(): name for name, voice in pairs}
    selected = {
        by_score_name.get(text.strip().lower()) or parse_voice_name(text, names) for text in voices
    } or set(names)
    if missing := selected - set(names):
        raise RequestError(
            f"there is no {min(missing).lower()} here; the voices are {', '.join(names)}"
        )
    return selected


def with_voices(score: Score, names: Sequence[str], requested: Sequence[str]) -> Score:
    """The score with the requested voices: its own, renamed to `names`, and empty ones."""
    notes = {name: voice.notes for name, voice in zip(names, score.voices, strict=True)}
    return replace(score, voices=tuple(Voice(name, notes.get(name, ())) for name in requested))

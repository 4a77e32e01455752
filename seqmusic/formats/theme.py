"""Themes as people type them: ``"C4 D4:1/8 Eb4:3/8 R:1/4 | F4"``, read into a score and written.

    token   := sound [":" value] ["^"] | "|"
    sound   := pitch | "R" (a rest) | "_" (the note before it is held)
    pitch   := name such as C4, Bb3, F#5, do4, mib4, sol#3 | MIDI number such as 60
    value   := fraction of a whole note, 1/4, 3/8, 1, with up to two dots, 1/4.

``^`` is a fermata over the note: a phrase ends there. Value and octave hold until another is given;
at first they are a quarter note and octave 4. Upper and lower case mean the same. ``|`` checks that
a bar is full; a first bar that is short is the pickup. ``;`` starts the next voice, from high to
low.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import ThemeError, abbreviated
from seqmusic.formats.theme_writing import FERMATA, voice_text
from seqmusic.formats.time_grid import fraction_of_whole
from seqmusic.formats.typed_pitch import (
    nearest_in_range,
    nearest_sound,
    normalized,
    parse_spelling,
    similarity,
)
from seqmusic.formats.voice_names import default_voice_names
from seqmusic.score import (
    TICKS_PER_QUARTER,
    TICKS_PER_WHOLE,
    Key,
    Note,
    Score,
    TimeSignature,
    Voice,
)
from seqmusic.spelling import spell_notes

MAX_CHARACTERS = 10_000
MAX_THEME_VOICES = 16
MAX_WHOLE_NOTES = 64  # of one note; no bar is longer
_TOKEN = re.compile(r"\||[^\s|]+")
_VALUE = re.compile(r"([0-9]{1,4})(?:/([0-9]{1,4}))?(\.{0,2})")
_DOT_FACTORS = (Fraction(1), Fraction(3, 2), Fraction(7, 4))
_COMMON_VALUES = (
    *("1/4", "1/8", "1/2", "3/8", "1/16", "3/4", "1", "3/16"),
    *("1/12", "1/6", "1/24", "1/3", "1/32", "3/32", "3/2", "2"),
)
_EXPECTED_SOUND = "expected a pitch such as C4, Bb3, 60 or do4, a rest R, a held note _, or a bar |"
_EXPECTED_VALUE = "expected a value as a fraction of a whole note, such as 1/8, 3/8 or 1"


class _VoiceText(NamedTuple):
    """What was typed for one voice, and how many characters of its argument stand before it."""

    text: str
    first_character: int


class _Token(NamedTuple):
    """One token of a voice.

    Attributes:
        text: as typed.
        location: "token 3 'Zb4' at character 7", with the voice where there are several.
        position: of its first character in its argument, counted from 1.
    """

    text: str
    location: str
    position: int


@dataclass
class _ThemeVoice:
    """What was read of one voice so far."""

    time_signature: TimeSignature
    notes: list[Note] = field(default_factory=list)
    elapsed_ticks: int = 0
    bar_onset_ticks: int = 0
    n_bars: int = 0
    pickup_ticks: int | None = None  # until the first bar line
    octave: int = 4
    value_ticks: int = TICKS_PER_QUARTER


def parse_theme(
    text: str | Sequence[str], time_signature: TimeSignature | None = None, key: Key | None = None
) -> Score:
    """The score of a typed theme.

    Args:
        text: the theme; several strings are several voices, from high to low, and so are parts
            separated by ";".
        time_signature: what the bars are checked against, 4/4 when None.
        key: kept in the score; it changes no pitch.

    Raises:
        ThemeError: a token is wrong, a bar does not add up, the voices have different pickups, or
            there is no note.

    >>> theme = parse_theme("G4 | C5 D5:1/8 Eb5:3/8 R:1/4 | F5")
    >>> theme.pickup_ticks, [(note.pitch, note.duration_ticks) for note in theme.voices[0].notes]
    (24, [(67, 24), (72, 24), (74, 12), (75, 36), (77, 24)])
    >>> parse_theme("G4 | C5 D5 E5:1/8 | F5")
    Traceback (most recent call last):
    ...
    seqmusic.errors.ThemeError: bar 1 holds 5/8 in 4/4 (before the | at character 19)
    """
    signature = time_signature or TimeSignature(4, 4)
    parts = list(_split_voices([text] if isinstance(text, str) else list(text)))
    lines = [
        _parse_voice(part, signature, f"voice {i}, " if len(parts) > 1 else "")
        for i, part in enumerate(parts, 1)
    ]
    if not any(line.notes for line in lines):
        raise ThemeError("the theme holds no note; type some, for instance 'C4 D4 E4:1/2'", 1)
    pickup = _common_pickup(lines, parts)
    names = default_voice_names(len(lines))
    voices = tuple(Voice(name, tuple(line.notes)) for name, line in zip(names, lines, strict=True))
    return Score(voices, ((0, signature),), pickup, key)


def theme_text(score: Score) -> str:
    """The theme that gives `score`, with " ; " between voices.

    ``parse_theme(theme_text(score), time_signature, key) == score`` where the score has one time
    signature, at least one note and no tempo, at most sixteen voices named as
    `default_voice_names` names them, and is not too long to type.

    >>> theme_text(parse_theme("60 62:1/8 63:3/8 r:1/4 | 65:1", key=Key(-3, "minor")))
    'C4 D4:1/8 Eb4:3/8 R:1/4 | F4:1'
    """
    spelled_voices = zip(score.voices, spell_notes(score), strict=True)
    return " ; ".join(voice_text(voice, spellings, score) for voice, spellings in spelled_voices)


def _split_voices(texts: list[str]) -> Iterator[_VoiceText]:
    length = sum(len(text) for text in texts)
    if length > MAX_CHARACTERS:
        rule = f"a theme has at most {MAX_CHARACTERS:,} characters, got {length:,}"
        raise ThemeError(f"{rule}; give a file instead", MAX_CHARACTERS + 1)
    n_voices = sum(text.count(";") + 1 for text in texts)
    if n_voices > MAX_THEME_VOICES:
        raise ThemeError(f"a theme has at most {MAX_THEME_VOICES} voices, got {n_voices}", 1)
    for text in texts:
        first_character = 0
        for part in text.split(";"):
            position = first_character + 1
            if not part.strip() and n_voices > 1:
                problem = f"the voice at character {position} is empty"
                raise ThemeError(f"{problem}; for a silent voice type R", position)
            yield _VoiceText(part, first_character)
            first_character += len(part) + 1


def _parse_voice(part: _VoiceText, signature: TimeSignature, voice: str) -> _ThemeVoice:
    line = _ThemeVoice(signature)
    for number, match in enumerate(_TOKEN.finditer(part.text), start=1):
        position = part.first_character + match.start() + 1
        if match[0] == "|":
            _end_bar(line, f"{voice}bar", f"before the | at character {position}", position)
        else:
            shown = repr(abbreviated(match[0]))
            location = f"{voice}token {number} {shown} at character {position}"
            _add_sound(line, _Token(match[0], location, position))
    is_barred = line.pickup_ticks is not None
    if is_barred and line.elapsed_ticks > line.bar_onset_ticks + signature.bar_ticks:
        _end_bar(line, f"{voice}bar", "before the end", part.first_character + len(part.text) + 1)
    return line


def _end_bar(line: _ThemeVoice, bar: str, where: str, position: int) -> None:
    signature, filled = line.time_signature, line.elapsed_ticks - line.bar_onset_ticks
    is_first, is_full = line.pickup_ticks is None, filled == signature.bar_ticks
    if not is_full and not (is_first and 0 < filled < signature.bar_ticks):
        length = _length_text(signature, filled)
        problem = f"{bar} {line.n_bars + 1} holds {length} in {signature}"
        raise ThemeError(f"{problem} ({where})", position)
    if is_first:
        line.pickup_ticks = filled % signature.bar_ticks
    line.n_bars += is_full
    line.bar_onset_ticks = line.elapsed_ticks


def _length_text(signature: TimeSignature, ticks: int) -> str:
    """7/8 rather than 84 ticks, in units of the time signature where they are fine enough."""
    if not ticks:
        return "nothing"
    if fraction := fraction_of_whole(ticks, signature.denominator):
        return f"{fraction[0]}/{fraction[1]}"
    return str(Fraction(ticks, TICKS_PER_WHOLE))


def _add_sound(line: _ThemeVoice, token: _Token) -> None:
    has_fermata = len(token.text) > 1 and token.text.endswith(FERMATA)
    typed, colon, value = token.text.removesuffix(FERMATA if has_fermata else "").partition(":")
    sound = normalized(typed)
    pitch = None if sound in ("r", "_") else _pitch(sound, line, token)
    if colon:
        line.value_ticks = _value_ticks(value, typed, token)
    if pitch is not None:
        line.notes.append(Note(line.elapsed_ticks, line.value_ticks, pitch, has_fermata))
    elif sound == "r" and has_fermata:
        rule = "a fermata stands over a note, not over a rest"
        raise _token_error(token, f"{rule}; type it after the last note of the phrase")
    elif sound == "_":
        if not line.notes or line.notes[-1].end_ticks != line.elapsed_ticks:
            problem = "holds the note before it, and there is none"
            raise _token_error(token, f"{problem}; for silence type R")
        last = line.notes[-1]
        ticks, fermata = last.duration_ticks + line.value_ticks, last.fermata or has_fermata
        line.notes[-1] = replace(last, duration_ticks=ticks, fermata=fermata)
    line.elapsed_ticks += line.value_ticks


def _pitch(sound: str, line: _ThemeVoice, token: _Token) -> int:
    value = "".join(token.text.partition(":")[1:])  # with a fermata, where it has one
    if re.fullmatch(r"[0-9]{1,3}", sound) and int(sound) <= 127:
        return int(sound)
    spelling = parse_spelling(sound, line.octave)
    if spelling is None:
        suggestion = repr(nearest_sound(sound) + value[:40])
        raise _token_error(token, f"{_EXPECTED_SOUND}; did you mean {suggestion}?")
    if not 0 <= spelling.pitch <= 127:
        suggestion = repr(nearest_in_range(spelling.pitch) + value[:40])
        rule = f"a pitch lies between C-1 and G9 (MIDI 0..127), got {spelling.pitch}"
        raise _token_error(token, f"{rule}; did you mean {suggestion}?")
    line.octave = spelling.octave
    return spelling.pitch


def _value_ticks(value: str, sound: str, token: _Token) -> int:
    match = _VALUE.fullmatch(value)
    if not match or int(match[1]) == 0 or int(match[2] or 1) == 0:
        nearest = max(_COMMON_VALUES, key=lambda common: similarity(value, common))
        raise _token_error(token, f"{_EXPECTED_VALUE}; did you mean '{sound}:{nearest}'?")
    whole_notes = Fraction(int(match[1]), int(match[2] or 1)) * _DOT_FACTORS[len(match[3])]
    if whole_notes > MAX_WHOLE_NOTES:
        rule = f"a note lasts at most {MAX_WHOLE_NOTES} whole notes"
        raise _token_error(token, f"{rule}, got {value}")
    ticks = whole_notes * TICKS_PER_WHOLE
    if ticks.denominator != 1:
        nearest = min(_COMMON_VALUES, key=lambda common: abs(Fraction(common) - whole_notes))
        rule = f"a value is a whole number of {TICKS_PER_WHOLE}ths of a whole note, got {value}"
        raise _token_error(token, f"{rule}; did you mean '{sound}:{nearest}'?")
    return int(ticks)


def _token_error(token: _Token, problem: str) -> ThemeError:
    return ThemeError(f"{token.location}: {problem}", token.position)


def _common_pickup(lines: list[_ThemeVoice], parts: list[_VoiceText]) -> int:
    """The pickup in ticks of all voices that have bar lines; 0 where none has."""
    barred = [
        (i, line.pickup_ticks) for i, line in enumerate(lines) if line.pickup_ticks is not None
    ]
    if not barred:
        return 0
    first_voice, common = barred[0]
    for voice, pickup in barred:
        if pickup != common:
            expected, found = (Fraction(ticks, TICKS_PER_WHOLE) for ticks in (common, pickup))
            raise ThemeError(
                f"voice {voice + 1} has a pickup of {found} and voice {first_voice + 1} one of "
                f"{expected}; make their first bars equal, with rests where a voice is silent",
                parts[voice].first_character + 1,
            )
    return common

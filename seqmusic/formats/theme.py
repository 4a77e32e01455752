"""The typed head of a theme: ``"C4 D4:1/8 Eb4:3/8 R:1/4 | F4"``, read into a score and written from one.

    token   := sound [":" value] | "|"
    sound   := pitch | "R" (a rest) | "_" (the note before it sounds on)
    pitch   := name such as C4, Bb3, F#5, do4, mib4, sol#3 | MIDI number such as 60
    value   := fraction of a whole note, 1/4, 3/8, 1, with up to two dots, 1/4.

Value and octave stay until another is given; at first they are a quarter note and octave 4. Upper and lower case mean the same.
``|`` checks that a bar is full; a first bar that is short is the pickup. ``;`` starts the next voice, from high to low.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import ThemeError
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
from seqmusic.tonality import Spelling, spell

MAX_CHARACTERS = 10_000
MAX_THEME_VOICES = 16
MAX_WHOLE_NOTES = 64  # whole notes; the longest bar of all
_SOLFEGE = {
    "do": "C",
    "re": "D",
    "ré": "D",
    "mi": "E",
    "fa": "F",
    "sol": "G",
    "la": "A",
    "si": "B",
}
_STEPS = _SOLFEGE | {step.lower(): step for step in "CDEFGAB"}
_ALTERS = {"": 0, "#": 1, "##": 2, "x": 2, "b": -1, "bb": -2}
_UNICODE_ACCIDENTALS = str.maketrans({"♯": "#", "♭": "b", "𝄪": "x", "𝄫": "bb"})
_TOKEN = re.compile(r"\||[^\s|]+")
_PITCH = re.compile(r"(do|re|ré|mi|fa|sol|la|si|[a-g])([#bx]*)(-?[0-9]{1,3})?")
_VALUE = re.compile(r"([0-9]{1,4})(?:/([0-9]{1,4}))?(\.{0,2})")
_COMMON_VALUES = (
    "1/4",
    "1/8",
    "1/2",
    "3/8",
    "1/16",
    "3/4",
    "1",
    "3/16",
    "1/12",
    "1/6",
    "1/24",
    "1/3",
    "1/32",
    "3/32",
    "3/2",
    "2",
)
_COMMON_NAMES = [
    *"CDEFGAB",
    "Bb",
    "Eb",
    "Ab",
    "Db",
    "Gb",
    "F#",
    "C#",
    "G#",
    "D#",
    "A#",
    "E#",
    "B#",
    "Cb",
    "Fb",
]
_COMMON_SOLFEGE = [
    s + a for a in ("", "b", "#") for s in ("do", "ré", "mi", "fa", "sol", "la", "si")
]
_OCTAVES = ("4", "3", "5", "2", "6", "1", "7", "0", "8", "", "-1")
_EXPECTED = "expected a pitch such as C4, Bb3, 60 or do4, a rest R, a held note _, or a bar |"


class _Token(NamedTuple):
    text: str
    place: str  # "token 3 'Zb4' at character 7", with the voice before it where there are several
    position: int


@dataclass
class _ThemeVoice:
    """What one voice has said so far."""

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
    """The score that a typed head means.

    Args:
        text: the head; several strings are several voices, from high to low, and so are parts separated by ";".
        time_signature: what the bars are checked against, 4/4 when None.
        key: kept in the score; it changes no pitch.

    Raises:
        ThemeError: a token is wrong, a bar does not add up, the voices disagree about the pickup, or there is no note.

    >>> head = parse_theme("G4 | C5 D5:1/8 Eb5:3/8 R:1/4 | F5")
    >>> head.pickup_ticks, [(note.pitch, note.duration_ticks) for note in head.voices[0].notes]
    (24, [(67, 24), (72, 24), (74, 12), (75, 36), (77, 24)])
    >>> parse_theme("G4 | C5 D5 E5:1/8 | F5")
    Traceback (most recent call last):
    ...
    seqmusic.errors.ThemeError: bar 1 holds 5/8 in 4/4 (before the | at character 19)
    """
    signature = time_signature or TimeSignature(4, 4)
    parts = list(_split_voices([text] if isinstance(text, str) else list(text)))
    lines = [
        _parse_voice(part, offset, signature, f"voice {i}, " if len(parts) > 1 else "")
        for i, (part, offset) in enumerate(parts, 1)
    ]
    if not any(line.notes for line in lines):
        raise ThemeError("the head holds no note; type some, for instance 'C4 D4 E4:1/2'", 1)
    pickup = _common_pickup(lines, parts)
    names = default_voice_names(len(lines))
    voices = tuple(Voice(name, tuple(line.notes)) for name, line in zip(names, lines, strict=True))
    return Score(voices, ((0, signature),), pickup, key)


def theme_text(score: Score) -> str:
    """The head that means `score`: names (as in C major without a key) and bars as a person would type them, " ; " between voices.

    ``parse_theme(theme_text(score), time_signature, key) == score`` where the score has one time signature, at least one note, no
    fermata and no tempo, at most sixteen voices named as `default_voice_names` names them, and is not too long to type.

    >>> theme_text(parse_theme("60 62:1/8 63:3/8 r:1/4 | 65:1", key=Key(-3, "minor")))
    'C4 D4:1/8 Eb4:3/8 R:1/4 | F4:1'
    """
    return " ; ".join(_voice_text(voice, score) for voice in score.voices)


def parse_pitch(text: str) -> int | None:
    """The MIDI number of a pitch that is written with its octave, such as Bb3 or do4; None for anything else.

    >>> parse_pitch("Bb3"), parse_pitch("sol#4"), parse_pitch("H3")
    (58, 68, None)
    """
    match = _PITCH.fullmatch(_normalized(text))
    if not match or match[2] not in _ALTERS or not match[3]:
        return None
    pitch = Spelling(_STEPS[match[1]], _ALTERS[match[2]], int(match[3])).pitch
    return pitch if 0 <= pitch <= 127 else None


def _normalized(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_UNICODE_ACCIDENTALS).lower()


def _split_voices(texts: list[str]) -> Iterator[tuple[str, int]]:
    """Each voice's text, and how many characters of its argument stand before it."""
    length = sum(len(text) for text in texts)
    if length > MAX_CHARACTERS:
        raise ThemeError(
            f"a head has at most {MAX_CHARACTERS:,} characters, got {length:,}; give a file instead",
            MAX_CHARACTERS + 1,
        )
    n_voices = sum(text.count(";") + 1 for text in texts)
    if n_voices > MAX_THEME_VOICES:
        raise ThemeError(f"a head has at most {MAX_THEME_VOICES} voices, got {n_voices}", 1)
    for text in texts:
        offset = 0
        for part in text.split(";"):
            if not part.strip() and n_voices > 1:
                raise ThemeError(
                    f"the voice at character {offset + 1} is empty; for a silent voice type R",
                    offset + 1,
                )
            yield part, offset
            offset += len(part) + 1


def _parse_voice(text: str, offset: int, signature: TimeSignature, voice: str) -> _ThemeVoice:
    line = _ThemeVoice(signature)
    for number, match in enumerate(_TOKEN.finditer(text), start=1):
        shown = repr(match[0] if len(match[0]) <= 40 else match[0][:40] + "…")
        position = offset + match.start() + 1
        token = _Token(match[0], f"{voice}token {number} {shown} at character {position}", position)
        if token.text == "|":
            _end_bar(line, f"{voice}bar", f"before the | at character {position}", position)
        else:
            _add_sound(line, token)
    if (
        line.pickup_ticks is not None
        and line.elapsed_ticks > line.bar_onset_ticks + signature.bar_ticks
    ):
        _end_bar(line, f"{voice}bar", "before the end", offset + len(text) + 1)
    return line


def _end_bar(line: _ThemeVoice, bar: str, where: str, position: int) -> None:
    signature, held = line.time_signature, line.elapsed_ticks - line.bar_onset_ticks
    is_first = line.pickup_ticks is None
    if held > signature.bar_ticks or held == 0 or (held < signature.bar_ticks and not is_first):
        number = line.n_bars + 1
        raise ThemeError(
            f"{bar} {number} holds {_as_fraction(signature, held)} in {signature} ({where})",
            position,
        )
    if is_first:
        line.pickup_ticks = held % signature.bar_ticks
    line.n_bars += held == signature.bar_ticks
    line.bar_onset_ticks = line.elapsed_ticks


def _as_fraction(signature: TimeSignature, ticks: int) -> str:
    """7/8 rather than 84 ticks, with the denominator of the time signature where that is enough."""
    if not ticks:
        return "nothing"
    for denominator in (signature.denominator, 4, 8, 16, 32):
        if denominator >= signature.denominator and ticks * denominator % TICKS_PER_WHOLE == 0:
            return f"{ticks * denominator // TICKS_PER_WHOLE}/{denominator}"
    return str(Fraction(ticks, TICKS_PER_WHOLE))


def _add_sound(line: _ThemeVoice, token: _Token) -> None:
    written, colon, value = token.text.partition(":")
    sound = _normalized(written)
    pitch = None if sound in ("r", "_") else _pitch(sound, line, token)
    if colon:
        line.value_ticks = _value_ticks(value, written, token)
    duration = line.value_ticks
    if pitch is not None:
        line.notes.append(Note(line.elapsed_ticks, duration, pitch))
    elif sound == "_":
        if not line.notes or line.notes[-1].end_ticks != line.elapsed_ticks:
            raise ThemeError(
                f"{token.place}: holds the note before it, and there is none; for silence type R",
                token.position,
            )
        line.notes[-1] = replace(
            line.notes[-1], duration_ticks=line.notes[-1].duration_ticks + duration
        )
    line.elapsed_ticks += duration


def _pitch(sound: str, line: _ThemeVoice, token: _Token) -> int:
    if re.fullmatch(r"[0-9]{1,3}", sound) and int(sound) <= 127:
        return int(sound)
    match = _PITCH.fullmatch(sound)
    if not match or match[2] not in _ALTERS:
        raise ThemeError(
            f"{token.place}: {_EXPECTED}; did you mean {_with_typed_value(_nearest_sound(sound), token)}?",
            token.position,
        )
    octave = int(match[3]) if match[3] else line.octave
    pitch = Spelling(_STEPS[match[1]], _ALTERS[match[2]], octave).pitch
    if not 0 <= pitch <= 127:
        inside = str(spell(pitch % 12 if pitch < 0 else max(range(pitch % 12, 128, 12)), None))
        rule = f"a pitch lies between C-1 and G9 (MIDI 0..127), got {pitch}"
        raise ThemeError(
            f"{token.place}: {rule}; did you mean {_with_typed_value(inside, token)}?",
            token.position,
        )
    line.octave = octave
    return pitch


def _with_typed_value(sound: str, token: _Token) -> str:
    return repr(sound + "".join(token.text.partition(":")[1:])[:40])


def _value_ticks(value: str, written: str, token: _Token) -> int:
    match = _VALUE.fullmatch(value)
    if not match or int(match[1]) == 0 or int(match[2] or 1) == 0:
        meant = max(
            _COMMON_VALUES, key=lambda usual: SequenceMatcher(None, value[:20], usual).ratio()
        )
        expected = "expected a value as a fraction of a whole note, such as 1/8, 3/8 or 1"
        raise ThemeError(
            f"{token.place}: {expected}; did you mean '{written}:{meant}'?", token.position
        )
    dotted = (Fraction(1), Fraction(3, 2), Fraction(7, 4))[len(match[3])]
    whole_notes = Fraction(int(match[1]), int(match[2] or 1)) * dotted
    if whole_notes > MAX_WHOLE_NOTES:
        raise ThemeError(
            f"{token.place}: a note lasts at most {MAX_WHOLE_NOTES} whole notes, got {value}",
            token.position,
        )
    ticks = whole_notes * TICKS_PER_WHOLE
    if ticks.denominator != 1:
        meant = min(_COMMON_VALUES, key=lambda usual: abs(Fraction(usual) - whole_notes))
        rule = f"a value is a whole number of {TICKS_PER_WHOLE}ths of a whole note, got {value}"
        raise ThemeError(
            f"{token.place}: {rule}; did you mean '{written}:{meant}'?", token.position
        )
    return int(ticks)


def _nearest_sound(sound: str) -> str:
    """The valid spelling most like `sound`; among equals the more usual one."""
    if sound.isdigit():
        return "127"
    if match := re.fullmatch(
        r"(.)(##?|bb?|x|)(-?[0-9]?)", sound
    ):  # only the letter is wrong; H is B natural in German
        letter = "B" if match[1] == "h" else {"#": "F", "b": "B"}.get(match[2][:1], "C")
        return f"{letter}{match[2]}{match[3]}"
    candidates: list[str] = [
        name + octave for octave in _OCTAVES for name in (*_COMMON_NAMES, *_COMMON_SOLFEGE)
    ]
    return max(
        [*candidates, "R", "_"],
        key=lambda candidate: SequenceMatcher(None, sound[:20], candidate.lower()).ratio(),
    )


def _common_pickup(lines: list[_ThemeVoice], parts: list[tuple[str, int]]) -> int:
    """The pickup in ticks of all voices that have bar lines; 0 where none has."""
    barred = [
        (number, line.pickup_ticks)
        for number, line in enumerate(lines, 1)
        if line.pickup_ticks is not None
    ]
    for number, pickup in barred:
        if pickup != barred[0][1]:
            first, here = (Fraction(ticks, TICKS_PER_WHOLE) for ticks in (barred[0][1], pickup))
            raise ThemeError(
                f"voice {number} has a pickup of {here} and voice {barred[0][0]} one of {first}; "
                "make their first bars equal, with rests where a voice is silent",
                parts[number - 1][1] + 1,
            )
    return barred[0][1] if barred else 0


def _voice_text(voice: Voice, score: Score) -> str:
    bars = score.bars(max(voice.end_ticks, score.pickup_ticks)) or score.bars(1)
    starts = [bar.onset_ticks for bar in bars] or [0]
    ends = [
        *starts[1:],
        bars[-1].end_ticks if len(bars) == 1 and score.pickup_ticks else voice.end_ticks,
    ]
    words: list[str] = []
    value = TICKS_PER_QUARTER
    for start, end in zip(starts, ends, strict=True):
        if words:
            words.append("|")
        for sound, ticks in _sounds(voice, start, end, score.key):
            words.append(sound if ticks == value else f"{sound}:{Fraction(ticks, TICKS_PER_WHOLE)}")
            value = ticks
    if len(bars) == 1 and score.pickup_ticks:
        words.append("|")
    return " ".join(words) or "R"


def _sounds(voice: Voice, start: int, end: int, key: Key | None) -> Iterator[tuple[str, int]]:
    """What sounds in [start, end), with its length in ticks; what began before is held."""
    now = start
    for note in voice.notes:
        onset, stop = max(note.onset_ticks, start), min(note.end_ticks, end)
        if onset >= stop:
            continue
        if onset > now:
            yield "R", onset - now
        yield (str(spell(note.pitch, key)) if onset == note.onset_ticks else "_"), stop - onset
        now = stop
    if now < end:
        yield "R", end - now

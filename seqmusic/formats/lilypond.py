"""LilyPond text of a score, for LilyPond 2.24: one variable a voice, one bar a line.

Four voices stand on two staves, as in a hymnal; any other number on a staff each.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.lilypond_marks import marks_variable
from seqmusic.formats.lilypond_values import (
    ValueGroup,
    WrittenNote,
    notate_bar,
    straight_value,
    value_name,
)
from seqmusic.formats.measures import position_in_bar
from seqmusic.formats.printed_events import Span, voice_spans
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import TICKS_PER_WHOLE, Bar, Key, Score, TimeSignature, Voice
from seqmusic.spelling import VoiceSpelling, spell_notes
from seqmusic.tonality import Spelling, key_name

_IRREGULAR_NAMES = {"ees": "es", "aes": "as", "eeses": "eses", "aeses": "ases"}  # in Dutch
_MIDDLE_C = 60
# LilyPond plays the voices of a staff on one channel, where a unison would end with whichever
# voice leaves it first.
_PERFORMER_PER_VOICE = (
    r'    \context { \Staff \remove "Staff_performer" }',
    r'    \context { \Voice \consists "Staff_performer" }',
)
_MARKED_LAYOUT = (
    r'  \layout { \context { \Voice \consists "Horizontal_bracket_engraver" '
    r"\override HorizontalBracket.direction = #UP } }"
)


def lilypond_text(score: Score, marks: ScoreMarks = NO_MARKS) -> str:
    """The score as LilyPond text, with the note names of LilyPond's default language, Dutch.

    The tempo is rounded to whole beats, because LilyPond has no others; a score without a meter
    has no bar lines. With marks, each voice has a staff.

    Raises:
        FormatError: there is no voice to write.
    """
    if not score.voices:
        raise FormatError("a score without voices cannot be written as LilyPond text")
    names = _variable_names(score)
    variables = [
        _voice_variable(name, voice, spellings, score)
        for name, voice, spellings in zip(names, score.voices, spell_notes(score), strict=True)
    ]
    if marks != NO_MARKS:
        variables += [
            marks_variable(f"{name}Marks", _marks_of_voice(marks, index), score.end_ticks)
            for index, name in enumerate(names)
        ]
    block = _score_block(score, names, has_marks=marks != NO_MARKS)
    lines = [*_heading(score), *_global_block(score), *variables, *block]
    return "\n".join(lines).encode("utf-8", "replace").decode("utf-8")


def _marks_of_voice(marks: ScoreMarks, index: int) -> ScoreMarks:
    """The marks of a voice; the first one has the line breaks."""
    found = marks.of_voices([index])
    return found if index == 0 else replace(found, break_ticks=())


def write_lilypond(score: Score, path: Path, marks: ScoreMarks = NO_MARKS) -> Path:
    """Write the score as LilyPond text and return `path`; `marks` as in :func:`lilypond_text`.

    Raises:
        FormatError: there is no voice to write, or the file cannot be written.
    """
    return write_atomic(Path(path), lilypond_text(score, marks))


def pitch_name(spelling: Spelling) -> str:
    """A written pitch in LilyPond's absolute octaves.

    >>> pitch_name(Spelling("E", -1, 4)), pitch_name(Spelling("F", 1, 2))
    ("es'", 'fis,')
    """
    octave = "'" * (spelling.octave - 3) + "," * (3 - spelling.octave)
    return _pitch_class_name(spelling.step, spelling.alter) + octave


def _pitch_class_name(step: str, alter: int) -> str:
    name = step.lower() + "is" * alter + "es" * -alter
    return _IRREGULAR_NAMES.get(name, name)


def _heading(score: Score) -> Iterator[str]:
    yield r'\version "2.24.0"'
    yield r'\language "nederlands"'
    for line in score.source.splitlines():
        yield f"% {_printable(line)}"
    title = [f"  title = {_quoted(score.title)}"] if score.title else []
    yield "\n".join(["", r"\header {", *title, "  tagline = ##f", "}", ""])


def _global_block(score: Score) -> Iterator[str]:
    """What all voices share at their start."""
    yield "global = {"
    if score.key:
        yield f"  {_key_command(score.key)}"
    if score.time_signatures:
        yield rf"  \time {score.time_signatures[0][1]}"
    else:
        yield r"  \cadenzaOn \omit Staff.TimeSignature"
    if score.tempo_bpm is not None and 1 <= score.tempo_bpm < 10_000:
        yield rf"  \tempo 4 = {round(score.tempo_bpm)}"
    yield "}\n"


def _key_command(key: Key) -> str:
    tonic, mode = key_name(replace(key, mode=key.mode or "major")).split()
    alter = tonic.count("#") - tonic.count("b")
    return rf"\key {_pitch_class_name(tonic[0], alter)} \{mode}"


def _voice_variable(name: str, voice: Voice, spellings: VoiceSpelling, score: Score) -> str:
    has_meter = bool(score.time_signatures)
    metered = score if has_meter else replace(score, time_signatures=((0, TimeSignature(4, 4)),))
    bars = metered.bars() or metered.bars(1)
    lines = []
    for before, bar in zip([None, *bars], bars, strict=False):
        end = min(bar.end_ticks, score.end_ticks or bar.end_ticks)
        lines += [f"  {command}" for command in _bar_commands(before, bar)]
        check = " | " if end == bar.end_ticks else " "
        lines.append(f"  {_bar_text(voice, bar, end, spellings, has_meter)}{check} % {bar.number}")
    return "\n".join([f"{name} = {{", r"  \global", *lines, r'  \bar "|."', "}\n"])


def _bar_commands(before: Bar | None, bar: Bar) -> Iterator[str]:
    if before and before.time_signature != bar.time_signature:
        yield rf"\time {bar.time_signature}"
    if bar.duration_ticks < bar.time_signature.bar_ticks:
        yield rf"\partial {_duration_text(bar.duration_ticks)}"


def _duration_text(ticks: int) -> str:
    value = straight_value(ticks)
    return value_name(value) if value else f"1*{Fraction(ticks, TICKS_PER_WHOLE)}"


def _bar_text(
    voice: Voice, bar: Bar, end_ticks: int, spellings: VoiceSpelling, has_meter: bool
) -> str:
    """The notes and rests of a voice from the start of a bar to `end_ticks`."""
    first = position_in_bar(bar, bar.onset_ticks)
    spans = [
        Span(start - bar.onset_ticks + first, end - bar.onset_ticks + first, note)
        for start, end, note in voice_spans(voice, bar.onset_ticks, end_ticks)
    ]
    if has_meter and spans == [(0, bar.time_signature.bar_ticks, None)]:
        return f"R{_duration_text(bar.time_signature.bar_ticks)}"
    groups = notate_bar(spans, bar.time_signature)
    return " ".join(_group_text(group, end_ticks, spellings) for group in groups)


def _group_text(group: ValueGroup, end_ticks: int, spellings: VoiceSpelling) -> str:
    notes = " ".join(_note_text(written, end_ticks, spellings) for written in group.notes)
    return rf"\tuplet 3/2 {{ {notes} }}" if group.is_triplet else notes


def _note_text(written: WrittenNote, end_ticks: int, spellings: VoiceSpelling) -> str:
    note, value = written.note, value_name(written.value)
    if note is None:
        return f"r{value}"
    mark = r"\fermata" if note.fermata else ""
    if not written.ends_here or note.end_ticks > end_ticks:
        mark = "~"
    return f"{pitch_name(spellings[note.onset_ticks])}{value}{mark}"


def _score_block(score: Score, names: list[str], *, has_marks: bool) -> Iterator[str]:
    yield r"\score {"
    if len(names) == 4 and not has_marks:
        yield from _two_staves(score, names)
    else:
        yield from _staff_per_voice(score, names, has_marks=has_marks)
    yield _MARKED_LAYOUT if has_marks else r"  \layout { }"
    yield from [r"  \midi {", *_PERFORMER_PER_VOICE, "  }\n}\n"]


def _two_staves(score: Score, names: list[str]) -> Iterator[str]:
    yield r"  \new ChoirStaff <<"
    for first, clef in ((0, "treble"), (2, "bass")):
        above, below = (_quoted(voice.name) for voice in score.voices[first : first + 2])
        label = rf"\markup \right-column {{ {above} {below} }}"
        yield rf"    \new Staff \with {{ instrumentName = {label} }} <<"
        yield rf"      \clef {clef}"
        upper, lower = names[first : first + 2]
        yield rf'      \new Voice = "{upper}" {{ \voiceOne \{upper} }}'
        yield rf'      \new Voice = "{lower}" {{ \voiceTwo \{lower} }}'
        yield "    >>"
    yield "  >>"


def _staff_per_voice(score: Score, names: list[str], *, has_marks: bool) -> Iterator[str]:
    yield r"  \new ChoirStaff <<" if len(names) > 1 else "  <<"
    for name, voice in zip(names, score.voices, strict=True):
        label = rf" \with {{ instrumentName = {_quoted(voice.name)} }}" if len(names) > 1 else ""
        pitches = [note.pitch for note in voice.notes] or [_MIDDLE_C]
        clef = "treble" if sum(pitches) >= _MIDDLE_C * len(pitches) else "bass"
        clef = '"treble_8"' if voice.name == "Contratenor" else clef
        music = rf"<< \{name} \{name}Marks >>" if has_marks else rf"{{ \{name} }}"
        yield rf'    \new Staff{label} {{ \clef {clef} \new Voice = "{name}" {music} }}'
    yield "  >>"


def _variable_names(score: Score) -> list[str]:
    """A LilyPond variable for each voice: letters only, all different, and never a command."""
    names: list[str] = []
    for index, voice in enumerate(score.voices):
        plain = unicodedata.normalize("NFKD", voice.name)
        letters = "".join(c for c in plain if c.isascii() and c.isalpha()).lower()[:20] or "voice"
        number = "".join("JABCDEFGHI"[int(digit)] for digit in str(index + 1))
        name = f"{letters}Part"
        names.append(name if name not in names else f"{letters}{number}Part")
    return names


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _quoted(text: str) -> str:
    """A LilyPond string that holds `text`, whatever characters are in it."""
    escaped = _printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

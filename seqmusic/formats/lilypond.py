"""LilyPond text of a score, to be engraved with LilyPond 2.24: one variable a voice, one bar a line.

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
from seqmusic.formats.lilypond_values import Span, ValueGroup, WrittenNote, notate_bar, value_name
from seqmusic.score import TICKS_PER_WHOLE, Bar, Key, Score, TimeSignature, Voice
from seqmusic.tonality import Spelling, infer_key, key_name, spell

_FRENCH = {"C": "do", "D": "re", "E": "mi", "F": "fa", "G": "sol", "A": "la", "B": "si"}
_LETTERS = {step: step.lower() for step in "CDEFGAB"}
# language: (its name in LilyPond, steps, a sharp, a flat, names that are not step + accidentals)
_LANGUAGES = {
    "nederlands": (
        "nederlands",
        _LETTERS,
        "is",
        "es",
        {"ees": "es", "aes": "as", "eeses": "eses", "aeses": "ases"},
    ),
    "english": ("english", _LETTERS, "s", "f", {}),
    "french": ("français", _FRENCH, "d", "b", {}),
    "deutsch": (
        "deutsch",
        _LETTERS | {"B": "h"},
        "is",
        "es",
        {"ees": "es", "aes": "as", "eeses": "eses", "aeses": "ases", "hes": "b"},
    ),
}
LANGUAGES = tuple(_LANGUAGES)
_MIDDLE_C = 60
# LilyPond plays the voices of a staff on one channel, where a unison would end with whichever voice leaves it first.
_PERFORMER_PER_VOICE = (
    r'    \context { \Staff \remove "Staff_performer" }',
    r'    \context { \Voice \consists "Staff_performer" }',
)


def lilypond_text(score: Score, language: str = "nederlands") -> str:
    """The score as LilyPond text.

    Args:
        score: tempo is rounded to whole beats, which is all that LilyPond can say; a score without a meter has no bar lines.
        language: of the note names, one of `LANGUAGES`: nederlands (cis es bes), english (cs ef bf), french (dod mib sib), deutsch
            (cis es b).

    Raises:
        ValueError: the language is unknown.
        FormatError: there is no voice to write.
    """
    if language not in _LANGUAGES:
        raise ValueError(
            f"the language of the note names is one of {', '.join(LANGUAGES)}; got {language!r}"
        )
    if not score.voices:
        raise FormatError("a score without voices cannot be written as LilyPond text")
    names = _variable_names(score)
    parts = [
        _voice_variable(name, voice, score, language)
        for name, voice in zip(names, score.voices, strict=True)
    ]
    text = "\n".join(
        [
            *_heading(score, language),
            *_global_block(score, language),
            *parts,
            *_score_block(score, names),
        ]
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def write_lilypond(score: Score, path: Path, language: str = "nederlands") -> Path:
    """Write the score as LilyPond text; returns `path`.

    Raises:
        ValueError: the language is unknown.
        FormatError: there is no voice to write, or the file cannot be written.
    """
    return write_atomic(Path(path), lilypond_text(score, language))


def pitch_name(spelling: Spelling, language: str = "nederlands") -> str:
    """A written pitch in LilyPond's absolute octaves.

    >>> pitch_name(Spelling("E", -1, 4)), pitch_name(Spelling("B", 0, 2), "deutsch"), pitch_name(Spelling("F", 1, 5), "french")
    ("es'", 'h,', "fad''")
    """
    octave = "'" * (spelling.octave - 3) + "," * (3 - spelling.octave)
    return _pitch_class_name(spelling.step, spelling.alter, language) + octave


def _pitch_class_name(step: str, alter: int, language: str) -> str:
    _, steps, sharp, flat, exceptions = _LANGUAGES[language]
    name = steps[step] + sharp * alter + flat * -alter
    return exceptions.get(name, name)


def _heading(score: Score, language: str) -> Iterator[str]:
    yield r'\version "2.24.0"'
    yield rf'\language "{_LANGUAGES[language][0]}"'
    for line in score.source.splitlines():
        yield f"% {_printable(line)}"
    title = [f"  title = {_quoted(score.title)}"] if score.title else []
    yield "\n".join(["", r"\header {", *title, "  tagline = ##f", "}", ""])


def _global_block(score: Score, language: str) -> Iterator[str]:
    """What all voices share at their start."""
    yield "global = {"
    if score.key:
        yield f"  {_key_command(score.key, language)}"
    if score.time_signatures:
        yield rf"  \time {score.time_signatures[0][1]}"
    else:
        yield r"  \cadenzaOn \omit Staff.TimeSignature"
    if score.tempo_bpm is not None and 1 <= score.tempo_bpm < 10_000:
        yield rf"  \tempo 4 = {round(score.tempo_bpm)}"
    yield "}\n"


def _key_command(key: Key, language: str) -> str:
    tonic, mode = key_name(replace(key, mode=key.mode or "major")).split()
    return rf"\key {_pitch_class_name(tonic[0], tonic.count('#') - tonic.count('b'), language)} \{mode}"


def _voice_variable(name: str, voice: Voice, score: Score, language: str) -> str:
    metered = (
        score
        if score.time_signatures
        else replace(score, time_signatures=((0, TimeSignature(4, 4)),))
    )
    key = score.key or infer_key(score)
    bars = metered.bars() or metered.bars(1)
    lines = []
    for before, bar in zip([None, *bars], bars, strict=False):
        end = min(bar.end_ticks, score.end_ticks or bar.end_ticks)
        spans = _spans(voice, bar, end)
        is_silent = score.time_signatures and spans == [(0, bar.time_signature.bar_ticks, None)]
        shown = (
            _full_bar_rest(bar.time_signature)
            if is_silent
            else _bar_text(spans, bar, key, language)
        )
        check = f" |  % {bar.number}" if end == bar.end_ticks else f"  % {bar.number}"
        lines += [f"  {command}" for command in _bar_commands(before, bar)] + [f"  {shown}{check}"]
    return "\n".join([f"{name} = {{", r"  \global", *lines, r'  \bar "|."', "}\n"])


def _bar_commands(before: Bar | None, bar: Bar) -> Iterator[str]:
    if before and before.time_signature != bar.time_signature:
        yield rf"\time {bar.time_signature}"
    if bar.duration_ticks < bar.time_signature.bar_ticks:
        yield rf"\partial {value_name(bar.duration_ticks) or _scaled_whole(bar.duration_ticks)}"


def _scaled_whole(ticks: int) -> str:
    return f"1*{Fraction(ticks, TICKS_PER_WHOLE)}"


def _spans(voice: Voice, bar: Bar, end_ticks: int) -> list[Span]:
    """Notes and rests from the start of the bar to `end_ticks`, at their positions in a whole bar."""
    shift = bar.time_signature.bar_ticks - bar.duration_ticks if bar.number == 0 else 0
    spans, now = [], bar.onset_ticks
    for note in voice.notes:
        start, end = max(note.onset_ticks, bar.onset_ticks), min(note.end_ticks, end_ticks)
        if start >= end:
            continue
        if start > now:
            spans.append(Span(now, start, None))
        spans.append(Span(start, end, note))
        now = end
    if now < end_ticks:
        spans.append(Span(now, end_ticks, None))
    return [
        Span(a - bar.onset_ticks + shift, b - bar.onset_ticks + shift, note) for a, b, note in spans
    ]


def _bar_text(spans: list[Span], bar: Bar, key: Key, language: str) -> str:
    groups = notate_bar(spans, bar.time_signature)
    end_ticks = bar.onset_ticks + spans[-1].end - spans[0].start
    return " ".join(_group_text(group, end_ticks, key, language) for group in groups)


def _full_bar_rest(signature: TimeSignature) -> str:
    return f"R{value_name(signature.bar_ticks) or _scaled_whole(signature.bar_ticks)}"


def _group_text(group: ValueGroup, end_ticks: int, key: Key, language: str) -> str:
    words = " ".join(_written_note(written, end_ticks, key, language) for written in group.written)
    return rf"\tuplet 3/2 {{ {words} }}" if group.is_triplet else words


def _written_note(written: WrittenNote, end_ticks: int, key: Key, language: str) -> str:
    note = written.note
    if note is None:
        return f"r{written.value}"
    ends_here = written.ends_here and note.end_ticks <= end_ticks
    mark = ("\\fermata" if note.fermata else "") if ends_here else "~"
    return f"{pitch_name(spell(note.pitch, key), language)}{written.value}{mark}"


def _score_block(score: Score, names: list[str]) -> Iterator[str]:
    yield r"\score {"
    yield from _two_staves(score, names) if len(names) == 4 else _staff_per_voice(score, names)
    yield from [r"  \layout { }", r"  \midi {", *_PERFORMER_PER_VOICE, "  }\n}\n"]


def _two_staves(score: Score, names: list[str]) -> Iterator[str]:
    yield r"  \new ChoirStaff <<"
    for pair, clef in ((0, "treble"), (2, "bass")):
        above, below = (_quoted(voice.name) for voice in score.voices[pair : pair + 2])
        yield rf"    \new Staff \with {{ instrumentName = \markup \right-column {{ {above} {below} }} }} <<"
        yield rf"      \clef {clef}"
        for name, place in zip(names[pair : pair + 2], (r"\voiceOne", r"\voiceTwo"), strict=True):
            yield rf'      \new Voice = "{name}" {{ {place} \{name} }}'
        yield "    >>"
    yield "  >>"


def _staff_per_voice(score: Score, names: list[str]) -> Iterator[str]:
    yield r"  \new ChoirStaff <<" if len(names) > 1 else "  <<"
    for name, voice in zip(names, score.voices, strict=True):
        label = rf" \with {{ instrumentName = {_quoted(voice.name)} }}" if len(names) > 1 else ""
        pitches = [note.pitch for note in voice.notes] or [_MIDDLE_C]
        clef = "treble" if sum(pitches) >= _MIDDLE_C * len(pitches) else "bass"
        yield (
            rf"    \new Staff{label} {{ \clef {clef} \new Voice = " + f'"{name}" {{ \\{name} }} }}'
        )
    yield "  >>"


def _variable_names(score: Score) -> list[str]:
    """A name for each voice that LilyPond takes as one of its own kind: letters only, each different, none of them a command."""
    names: list[str] = []
    for index, voice in enumerate(score.voices):
        plain = unicodedata.normalize("NFKD", voice.name)
        letters = "".join(c for c in plain if c.isascii() and c.isalpha()).lower()[:20] or "voice"
        number = "".join("JABCDEFGHI"[int(digit)] for digit in str(index + 1))
        names.append(
            f"{letters}Part" if f"{letters}Part" not in names else f"{letters}{number}Part"
        )
    return names


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _quoted(text: str) -> str:
    """A quoted string that says `text`, whatever stands in it."""
    escaped = _printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

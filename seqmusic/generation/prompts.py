"""Prompts: a score with holes says what is given and what is to be composed, whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.score import SATB, Bar, Note, Score, Voice
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.tokenizer import Hole
from seqmusic.tokens.vocabulary import MAX_VOICES

MAX_PIECE_BARS = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is known, and the spans of it to be composed.

    Attributes:
        score: its voices are those wanted, named as the model knows them (Soprano, Alto, Tenor, Bass, or Voice 1, Voice 2 ...),
            empty ones too. Notes that begin in a hole are not looked at.
        holes: one tuple a voice, each of spans (start, end) in ticks; music ends where the last hole or note ends.
        style: the number of the style that is asked for, None for none.
    """

    score: Score
    holes: tuple[tuple[Hole, ...], ...]
    style: int | None = None

    def is_given(self, voice: int, note: Note) -> bool:
        """Whether a note of a voice stands outside its holes."""
        return not any(
            start <= note.onset_ticks and (end is None or note.onset_ticks < end)
            for start, end in self.holes[voice]
        )

    @property
    def end_ticks(self) -> int:
        """Where the music ends."""
        return max([self.score.end_ticks, *(end or 0 for line in self.holes for _, end in line)])


def continuation_prompt(
    theme: Score, bars: int = 8, voices: str = "satb", known: Sequence[str] = SATB
) -> Prompt:
    """The head, open to the end of the last bar; voices that it lacks are to be composed from the start.

    Args:
        theme: the beginning.
        bars: in all.
        voices: "melody", "satb" (four voices), or how many.
        known: names of the voices that the model has learned.

    Raises:
        RequestError: the head has no notes, too many voices, or fills the bars asked for.
    """
    if not 1 <= bars <= MAX_PIECE_BARS:
        raise ValueError(f"bars must be in 1..{MAX_PIECE_BARS}, got {bars}")
    wanted = _requested_voice_names(voices, known)
    if theme.n_notes == 0:
        raise RequestError("the head has no notes; give at least one, for instance C4")
    if not theme.time_signatures:
        raise RequestError("the head has no time signature; say one with --time-signature")
    end = _end_ticks(theme, bars)
    if theme.end_ticks >= end:
        n_bars = sum(bar.number > 0 for bar in theme.bars())
        raise RequestError(
            f"the head has {n_bars} {'bar' if n_bars == 1 else 'bars'}, and so fills the {bars} asked for in all; "
            f"ask for more, such as --bars {min(n_bars + 4, MAX_PIECE_BARS)}"
        )
    score = with_voices(theme, matching_voice_names(theme, wanted), wanted)
    return Prompt(score, tuple(((voice.end_ticks, end),) for voice in score.voices))


def harmonization_prompt(
    given: Score, names: Sequence[str] = (), known: Sequence[str] = SATB
) -> Prompt:
    """The given voices as they are, and the others of the four to be composed beside them.

    Args:
        given: one voice to three, or more of which `names` picks some.
        names: which of Soprano, Alto, Tenor, Bass they are; when not said, one voice is the soprano, and more have their own names.
        known: names of the voices that the model has learned.

    Raises:
        RequestError: nothing is given, nothing is left to compose, or the voices cannot be told.
    """
    if tuple(known) != SATB:
        raise RequestError(
            "this model has learned numbered voices, not soprano, alto, tenor and bass; "
            "seqmusic continue --voices 4 composes others beside a theme that is as long as the piece"
        )
    if given.n_notes == 0:
        raise RequestError("there are no notes to harmonize; give at least one, for instance C5")
    wanted = tuple(_parse_voice_name(name) for name in names)
    own = tuple(voice.name for voice in given.voices)
    if not wanted:
        wanted = SATB[:1] if len(own) == 1 else own
    elif len(wanted) < len(own) and set(wanted) <= set(own):
        given = replace(
            given, voices=tuple(voice for voice in given.voices if voice.name in wanted)
        )
        wanted = tuple(voice.name for voice in given.voices)
    if (
        len(set(wanted)) != len(wanted)
        or len(wanted) != len(given.voices)
        or not set(wanted) <= set(SATB)
    ):
        raise RequestError(
            f"there are {len(own)} voices ({', '.join(own)}); say which they are, as many names, with --voice, "
            "such as --voice soprano,bass"
        )
    if len(wanted) == len(SATB):
        raise RequestError(
            "all four voices are given, so nothing is left to compose; pick some with --voice, such as --voice soprano"
        )
    score = with_voices(given, wanted, SATB)
    if not score.n_notes:
        raise RequestError(f"the {' and '.join(wanted).lower()} has no notes; pick another voice")
    return Prompt(score, tuple(() if name in wanted else ((0, score.end_ticks),) for name in SATB))


def regeneration_prompt(
    score: Score,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    known: Sequence[str] = SATB,
) -> Prompt:
    """The score with a hole in some bars of some voices; a note held into the first of them stays, one held out of the last goes.

    Args:
        score: in one voice, in four, or in some named Soprano, Alto, Tenor, Bass.
        bars: first and last, numbered as printed (a pickup is bar 0); None for all.
        voices: which, by name; none named means all.
        known: names of the voices that the model has learned.

    Raises:
        RequestError: there are no such bars or voices, or nothing in them.
    """
    if score.n_notes == 0:
        raise RequestError("the score has no notes")
    names = matching_voice_names(score, _requested_voice_names(default_voices(score, known), known))
    start, end = _bar_range_ticks(score, bars)
    chosen = _selected_voices(score, names, voices)
    holes = tuple(
        _voice_hole(voice, start, end) if name in chosen else ()
        for name, voice in zip(names, score.voices, strict=True)
    )
    if not any(holes):
        raise RequestError(
            "no note begins there, and nothing is silent; choose other bars or voices"
        )
    return Prompt(with_voices(score, names, names), holes)


def with_random_holes(prompt: Prompt, share: float, rng: np.random.Generator) -> Prompt:
    """The prompt with holes only where notes were drawn: each note in its holes with probability `share`, one of them at least."""
    notes = [
        (voice, note)
        for voice, line in enumerate(prompt.score.voices)
        for note in line.notes
        if not prompt.is_given(voice, note)
    ]
    if not notes:
        raise RequestError("no note begins there; choose other bars or voices")
    drawn = rng.random(len(notes)) < share
    drawn[rng.integers(len(notes))] = True
    holes: list[list[tuple[int, int]]] = [[] for _ in prompt.holes]
    for (voice, note), is_drawn in zip(notes, drawn.tolist(), strict=True):
        line = holes[voice]
        if is_drawn and line and line[-1][1] == note.onset_ticks:
            line[-1] = (line[-1][0], note.end_ticks)
        elif is_drawn:
            line.append((note.onset_ticks, note.end_ticks))
    return replace(prompt, holes=tuple(tuple(line) for line in holes))


def fitting_shift(score: Score) -> int:
    """Semitones by which a prompt is moved, and what comes of it moved back, because the model knows voices only in their compass.

    The one that leaves the fewest notes outside; of several whole octaves first, then the nearest.

    >>> from seqmusic.formats.theme import parse_theme
    >>> fitting_shift(parse_theme("G4 A4 B4")), fitting_shift(parse_theme("G2 A2 B2"))
    (0, 24)
    """
    sung = [COMPASS.get(voice.name, (0, 127)) for voice in score.voices]
    pitches = [
        (note.pitch, *own)
        for own, voice in zip(sung, score.voices, strict=True)
        for note in voice.notes
    ]
    lowest = max([max(high for _, high in sung) - 127, *(-pitch for pitch, _, _ in pitches)])
    highest = min([min(low for low, _ in sung), *(127 - pitch for pitch, _, _ in pitches)])

    def misfit(shift: int) -> tuple[int, bool, int]:
        outside = sum(not low <= pitch + shift <= high for pitch, low, high in pitches)
        return outside, shift % 12 != 0, abs(shift)

    return min(range(min(lowest, 0), max(highest, 0) + 1), key=misfit)


def default_voices(score: Score, known: Sequence[str] = SATB) -> str:
    """What of `continuation_prompt`'s voices fits a score: its own number where the model has learned numbered ones."""
    return (
        "melody"
        if len(score.voices) == 1
        else "satb"
        if tuple(known) == SATB
        else str(len(score.voices))
    )


def _requested_voice_names(voices: str, known: Sequence[str]) -> tuple[str, ...]:
    """Names of the voices asked for, as the model knows them."""
    n_voices = {"melody": 1, "satb": 4}.get(voices) or (
        int(voices) if voices.isascii() and voices.isdigit() else 0
    )
    if not 1 <= n_voices <= MAX_VOICES:
        raise ValueError(
            f"voices must be melody, satb or a number in 1..{MAX_VOICES}, got {voices!r}"
        )
    if n_voices > len(known) or (tuple(known) == SATB and n_voices not in (1, len(SATB))):
        raise RequestError(
            f"this model has learned {', '.join(known)}; {n_voices} voices are more or other than that"
        )
    return tuple(known[:n_voices])


def matching_voice_names(score: Score, names: Sequence[str]) -> tuple[str, ...]:
    """Which of the wanted voices those of a score are: in order where there are one or all, or they are numbered, else by name.

    Raises:
        RequestError: the voices asked for have no place for them.
    """
    own = tuple(voice.name for voice in score.voices)
    if len(own) in (1, len(names)) or (len(own) < len(names) and names[0] not in SATB):
        return tuple(names[: len(own)])
    if len(set(own)) == len(own) and set(own) <= set(names):
        return own
    if len(names) == 1:
        raise RequestError(
            f"the head has {len(own)} voices, and a melody has one; ask for --voices satb, or give one voice"
        )
    if names[0] not in SATB:
        raise RequestError(
            f"there are {len(own)} voices, and {len(names)} are asked for; ask for --voices {len(own)} or more"
        )
    raise RequestError(
        f"there are {len(own)} voices ({', '.join(own)}); give one voice, four, or some named {', '.join(SATB)}"
    )


def with_voices(score: Score, names: Sequence[str], wanted: Sequence[str]) -> Score:
    """The score with the voices wanted: its own, which are called `names`, and empty ones."""
    given = dict(zip(names, score.voices, strict=True))
    return replace(
        score,
        voices=tuple(Voice(name, given[name].notes if name in given else ()) for name in wanted),
    )


def _parse_voice_name(text: str, names: Sequence[str] = SATB) -> str:
    known = tuple(names) if names[0] not in SATB else SATB
    for name in known:
        if text.strip().lower() in (
            name.lower(),
            name[0].lower() if name in SATB else name.removeprefix("Voice "),
        ):
            return name
    raise RequestError(
        f"a voice is one of {', '.join(name.lower() for name in known)}, got {text!r}"
    )


def _selected_voices(score: Score, names: Sequence[str], voices: Sequence[str]) -> set[str]:
    """The model's names of the voices that were named, by those or by their own."""
    called = {voice.name.lower(): name for name, voice in zip(names, score.voices, strict=True)}
    chosen = {
        called.get(text.strip().lower()) or _parse_voice_name(text, names) for text in voices
    } or set(names)
    if missing := chosen - set(names):
        raise RequestError(
            f"there is no {min(missing).lower()} here; the voices are {', '.join(names)}"
        )
    return chosen


def _bar_range_ticks(score: Score, bars: tuple[int, int] | None) -> tuple[int, int]:
    """First tick of the first bar and of what follows the last."""
    if bars is None:
        return 0, score.end_ticks
    there: list[Bar] = score.bars()
    if not there:
        raise RequestError("the score has no time signature, and so no bars to count")
    first, last = bars
    if first > last:
        raise RequestError(f"bars {first}-{last} hold nothing: the first comes after the last")
    numbers = range(there[0].number, there[-1].number + 1)
    if first not in numbers or last not in numbers:
        raise RequestError(
            f"bars {first}-{last} are not there; the music has bars {numbers[0]}-{numbers[-1]} (a pickup is bar 0)"
        )
    return there[first - numbers[0]].onset_ticks, min(
        there[last - numbers[0]].end_ticks, score.end_ticks
    )


def _voice_hole(voice: Voice, start: int, end: int) -> tuple[Hole, ...]:
    """The span without a note that is held into it, and with the whole of one that is held out of it."""
    for note in voice.notes:
        if note.onset_ticks < start < note.end_ticks:
            start = note.end_ticks
        elif start <= note.onset_ticks < end:
            end = max(end, note.end_ticks)
    return ((start, end),) if start < end else ()


def _end_ticks(theme: Score, n_bars: int) -> int:
    """Where the last of so many bars ends, the pickup not counted; changes of time signature are counted with.

    After a pickup the last bar is short by it, as chorales are printed: the two make one bar.
    """
    longest = max(signature.bar_ticks for _, signature in theme.time_signatures)
    bars = [bar for bar in theme.bars(theme.pickup_ticks + n_bars * longest) if bar.number]
    return bars[n_bars - 1].end_ticks - theme.pickup_ticks

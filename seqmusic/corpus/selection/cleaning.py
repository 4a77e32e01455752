"""Cleaning: which works are dropped, each with a reason. Nothing is repaired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seqmusic.corpus.similarity.duplicates import MIN_DUPLICATE_SHARE, Match
from seqmusic.score import Score
from seqmusic.tonality import spell

SATB_COMPASS = ((57, 81), (50, 76), (45, 71), (36, 66))
_GRIDS = (3, 4)  # ticks: thirty-second notes and triplets of sixteenths


@dataclass(frozen=True, kw_only=True)
class CleaningRules:
    """The conditions for a work to be kept; None switches a rule off.

    Attributes:
        n_voices: the fewest and the most voices.
        compass: (lowest, highest) pitch of each voice, from the highest voice to the lowest.
        max_early_bars: bars that a voice may end before the last one does.
        max_silent_bars: bars that all voices may rest together.
        min_notes: the fewest notes.
        is_on_grid: whether notes must fall on thirty-seconds or triplets of sixteenths, and a
            meter must be known.
        drops_empty_voices: whether a voice without notes is left out; else the work is incomplete.
        halves_long_values: whether music in breves is written in half its values.
        min_duplicate_share: share of its chords from which on a work is a duplicate, 0..1.
    """

    n_voices: tuple[int, int] | None = (4, 4)
    compass: tuple[tuple[int, int], ...] | None = SATB_COMPASS
    max_early_bars: float | None = 1.0
    max_silent_bars: float | None = 1.0
    min_notes: int = 1
    is_on_grid: bool = True
    drops_empty_voices: bool = False
    halves_long_values: bool = False
    min_duplicate_share: float | None = MIN_DUPLICATE_SHARE


CHORALE_RULES = CleaningRules()
GENERAL_RULES = CleaningRules(
    n_voices=(1, 16),
    compass=None,
    max_early_bars=None,
    max_silent_bars=None,
    min_notes=8,
    is_on_grid=False,
    drops_empty_voices=True,
    halves_long_values=True,
)


def drop_reason(score: Score, rules: CleaningRules = CHORALE_RULES) -> str:
    """The first rule that the score breaks, for people; "" if none. Duplicates are not checked."""
    return next(_drop_reasons(score, rules), "")


def _drop_reasons(score: Score, rules: CleaningRules) -> Iterator[str]:
    yield from _wrong_voices(score, rules.n_voices)
    if rules.is_on_grid and not score.time_signatures:
        yield "no meter"
    yield from _missing_notes(score, rules.max_early_bars)
    if score.n_notes < rules.min_notes:
        yield f"too short ({score.n_notes} notes)"
    yield from _interludes(score, rules.max_silent_bars)
    if rules.is_on_grid:
        yield from _off_grid(score)
    yield from _out_of_compass(score, rules.compass)


def _wrong_voices(score: Score, allowed: tuple[int, int] | None) -> Iterator[str]:
    n = len(score.voices)
    if allowed is None or allowed[0] <= n <= allowed[1]:
        return
    names = ", ".join(voice.name for voice in score.voices)
    if allowed[0] == allowed[1]:
        yield f"not {_NUMBER_NAMES.get(allowed[0], allowed[0])} voices ({n}: {names})"
    elif n:
        yield f"not {allowed[0]} to {allowed[1]} voices ({n})"


_NUMBER_NAMES = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def _missing_notes(score: Score, max_bars: float | None) -> Iterator[str]:
    for voice in score.voices:
        if not voice.notes:
            yield f"incomplete (voice {voice.name} is empty)"
    if not score.n_notes:
        yield "incomplete (no notes)"
    if max_bars is None or not score.time_signatures:
        return
    bar_ticks = score.time_signatures[-1][1].bar_ticks
    for voice in score.voices:
        missing = (score.end_ticks - voice.end_ticks) / bar_ticks
        if missing > max_bars:
            yield f"incomplete ({voice.name} stops {_n_bars_text(missing)} early)"


def _interludes(score: Score, max_bars: float | None) -> Iterator[str]:
    if max_bars is None:
        return
    for start, end in silences(score):
        bar = next((bar for bar in score.bars(end) if start < bar.end_ticks), None)
        if bar and end - start > max_bars * bar.time_signature.bar_ticks:
            length = _n_bars_text((end - start) / bar.time_signature.bar_ticks)
            yield f"interludes (all voices rest for {length} from bar {bar.number})"


def silences(score: Score) -> list[tuple[int, int]]:
    """(start, end) in ticks of every stretch before the end in which no voice sounds."""
    notes = [note for voice in score.voices for note in voice.notes]
    end_so_far, found = 0, []
    for note in sorted(notes, key=lambda note: note.onset_ticks):
        if note.onset_ticks > end_so_far:
            found.append((end_so_far, note.onset_ticks))
        end_so_far = max(end_so_far, note.end_ticks)
    return found


def _n_bars_text(n: float) -> str:
    return f"{n:.3g} bar{'s' * (n != 1)}"


def _off_grid(score: Score) -> Iterator[str]:
    grids = " or ".join(map(str, _GRIDS))
    for voice in score.voices:
        for note in voice.notes:
            for verb, ticks in (("starts at", note.onset_ticks), ("lasts", note.duration_ticks)):
                if all(ticks % grid for grid in _GRIDS):
                    position = f"{voice.name}: a note {verb} {ticks} ticks"
                    yield f"off the grid ({position}, no multiple of {grids})"


def _out_of_compass(score: Score, compass: tuple[tuple[int, int], ...] | None) -> Iterator[str]:
    if compass is None or len(compass) != len(score.voices):
        return
    for voice, (lowest, highest) in zip(score.voices, compass, strict=True):
        low, high = voice.compass or (lowest, highest)
        if low < lowest or high > highest:
            pitch = low if low < lowest else high
            yield f"out of compass ({voice.name} reaches {spell(pitch, score.key)})"


def duplicate_reason(match: Match, original: str) -> str:
    """The reason for which a work is dropped that repeats the work named `original`."""
    transposition = f" transposed by {match.semitones:+d}" if match.semitones else ""
    if match.is_exact:
        return f"duplicate of {original}{transposition}"
    return f"near duplicate of {original}{transposition} ({100 * match.share:.0f} % of its chords)"


def reason_kind(reason: str) -> str:
    """The reason without the details of the work.

    >>> reason_kind("near duplicate of bwv62.6 transposed by +2 (92 % of its chords)")
    'near duplicate'
    >>> reason_kind("no meter")
    'no meter'
    """
    return reason.split(" of ")[0].split(" (")[0]

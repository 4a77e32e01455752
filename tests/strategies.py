"""Random scores, and holes in them, that tokens can express."""

from dataclasses import replace

from hypothesis import strategies as st

from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice
from seqmusic.tokens.tokenizer import normalized

_METERS = ((4, 4), (3, 4), (2, 2), (6, 8), (5, 8), (7, 16), (1, 16), (16, 2))
SIGNATURES = [TimeSignature(numerator, denominator) for numerator, denominator in _METERS]


@st.composite
def note_lines(draw):
    notes, end = [], 0
    gaps = st.sampled_from([0, 0, 0, 1, 12, 96, 97, 200])
    durations = st.sampled_from([1, 6, 24, 24, 36, 96, 97, 192, 300]) | st.integers(1, 100)
    rows = st.lists(st.tuples(gaps, durations, st.integers(0, 127)), max_size=8)
    for gap, duration, pitch in draw(rows):
        notes.append(Note(end + gap, duration, pitch, fermata=draw(st.integers(0, 3)) == 0))
        end = notes[-1].end_ticks
    return tuple(notes)


@st.composite
def scores(draw, max_voices=16):
    """Normalized scores that last at least a tick."""
    n_voices = draw(st.integers(1, 4) | st.integers(1, max_voices))
    names = [f"Voice {i}" for i in range(1, n_voices + 1)]
    if n_voices <= 4 and draw(st.booleans()):
        names = sorted(draw(st.permutations(SATB))[:n_voices], key=SATB.index)
    voices = [Voice(name, draw(note_lines())) for name in names]
    if not any(voice.notes for voice in voices):
        voices[-1] = replace(voices[-1], notes=(Note(0, 24, 60),))
    signatures, pickup = (), 0
    if draw(st.integers(0, 4)):
        first = draw(st.sampled_from(SIGNATURES))
        pickup = draw(st.integers(0, min(96, first.bar_ticks - 1)))
        ticks = draw(st.sets(st.integers(max(1, pickup), 700), max_size=4))
        changes = [(tick, draw(st.sampled_from(SIGNATURES))) for tick in sorted(ticks)]
        signatures = ((0, first), *changes)
    modes = st.sampled_from(["major", "minor", ""])
    key = draw(st.none() | st.builds(Key, st.integers(-7, 7), modes))
    return normalized(Score(tuple(voices), signatures, pickup, key))


@st.composite
def scores_with_columns(draw):
    """One to three scores, and a number of voices that gives each of their voices a column."""
    drawn = draw(st.lists(scores(max_voices=6) | scores(), min_size=1, max_size=3))
    needed = max(
        len(SATB) if voice.name in SATB else len(score.voices)
        for score in drawn
        for voice in score.voices
    )
    return drawn, draw(st.integers(needed, 16))


def hole_boundaries(voice, end_ticks):
    """Ticks where a hole may begin or end, because no note sounds on."""
    edges = {tick for note in voice.notes for tick in (note.onset_ticks, note.end_ticks)}
    return [
        tick
        for tick in {0, end_ticks, 50, 130} | edges
        if tick <= end_ticks and not any(n.onset_ticks < tick < n.end_ticks for n in voice.notes)
    ]


@st.composite
def scores_with_holes(draw):
    """A score with, for each voice, holes; an odd number of ticks leaves the last hole open."""
    score = draw(scores(max_voices=6))
    kind = draw(st.sampled_from(["any", "tails", "one voice open", "one region"]))
    chosen = draw(st.integers(0, len(score.voices) - 1))
    holes = []
    for index, voice in enumerate(score.voices):
        boundaries = st.sampled_from(hole_boundaries(voice, score.end_ticks))
        ticks = sorted(draw(st.sets(boundaries, max_size=5)))
        if kind == "tails":
            ticks = _with_open_end(ticks, score.end_ticks)
        elif kind == "one voice open":
            ticks = [0] if index == chosen else []
        elif kind == "one region":
            ticks = ticks[: len(ticks) // 2 * 2][:2] if index == chosen else []
        holes.append(list(zip(ticks[::2], [*ticks[1::2], None], strict=False)))
    return score, holes


def _with_open_end(ticks, end_ticks):
    """The ticks, one more or one fewer if their number is even."""
    if len(ticks) % 2:
        return ticks
    return ticks[:-1] if end_ticks in ticks else [*ticks, end_ticks]


def without_holes(score, holes):
    """The score without the notes that start in a hole."""

    def is_missing(tick, gaps):
        return any(start <= tick and (end is None or tick < end) for start, end in gaps)

    voices = []
    for voice, gaps in zip(score.voices, holes, strict=True):
        notes = tuple(note for note in voice.notes if not is_missing(note.onset_ticks, gaps))
        voices.append(replace(voice, notes=notes))
    return replace(score, voices=tuple(voices))

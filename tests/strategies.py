"""Random scores, and holes in them, as tokens can say them."""

from dataclasses import replace

from hypothesis import strategies as st

from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice
from seqmusic.tokens.tokenizer import normalized

SIGNATURES = [
    TimeSignature(n, d)
    for n, d in ((4, 4), (3, 4), (2, 2), (6, 8), (5, 8), (7, 16), (1, 16), (16, 2))
]


@st.composite
def note_lines(draw):
    notes, now = [], 0
    gaps = st.sampled_from([0, 0, 0, 1, 12, 96, 97, 200])
    durations = st.sampled_from([1, 6, 24, 24, 36, 96, 97, 192, 300]) | st.integers(1, 100)
    for gap, duration, pitch in draw(
        st.lists(st.tuples(gaps, durations, st.integers(0, 127)), max_size=8)
    ):
        notes.append(Note(now + gap, duration, pitch))
        now = notes[-1].end_ticks
    return tuple(notes)


@st.composite
def scores(draw, max_voices=16):
    """Normalized scores that last at least a tick."""
    n_voices = draw(st.integers(1, 4) | st.integers(1, max_voices))
    names = (
        sorted(draw(st.permutations(SATB))[:n_voices], key=SATB.index)
        if n_voices <= 4 and draw(st.booleans())
        else []
    )
    names = names or [f"Voice {i}" for i in range(1, n_voices + 1)]
    voices = [Voice(name, draw(note_lines())) for name in names]
    if not any(voice.notes for voice in voices):
        voices[-1] = replace(voices[-1], notes=(Note(0, 24, 60),))
    signatures, pickup = (), 0
    if draw(st.integers(0, 4)):
        first = draw(st.sampled_from(SIGNATURES))
        pickup = draw(st.integers(0, min(96, first.bar_ticks - 1)))
        ticks = draw(st.sets(st.integers(max(1, pickup), 700), max_size=4))
        signatures = (
            (0, first),
            *((tick, draw(st.sampled_from(SIGNATURES))) for tick in sorted(ticks)),
        )
    key = draw(
        st.none() | st.builds(Key, st.integers(-7, 7), st.sampled_from(["major", "minor", ""]))
    )
    return normalized(Score(tuple(voices), signatures, pickup, key))


def hole_boundaries(voice, end_ticks):
    """Ticks where a hole may begin or end: where no note sounds on."""
    return [
        tick
        for tick in {
            0,
            end_ticks,
            50,
            130,
            *(t for n in voice.notes for t in (n.onset_ticks, n.end_ticks)),
        }
        if tick <= end_ticks and not any(n.onset_ticks < tick < n.end_ticks for n in voice.notes)
    ]


@st.composite
def scores_with_holes(draw):
    """A score with, for each voice, holes; an odd tick left over opens the last one."""
    score = draw(scores(max_voices=6))
    kinds = draw(st.sampled_from(["any", "tails", "one voice open", "one region"]))
    chosen = draw(st.integers(0, len(score.voices) - 1))
    holes = []
    for index, voice in enumerate(score.voices):
        ticks = sorted(
            draw(st.sets(st.sampled_from(hole_boundaries(voice, score.end_ticks)), max_size=5))
        )
        if kinds == "tails":
            ticks = (
                ticks
                if len(ticks) % 2
                else [*ticks, score.end_ticks]
                if score.end_ticks not in ticks
                else ticks[:-1]
            )
        elif kinds == "one voice open":
            ticks = [0] if index == chosen else []
        elif kinds == "one region":
            ticks = ticks[: len(ticks) // 2 * 2][:2] if index == chosen else []
        holes.append(
            [(start, end) for start, end in zip(ticks[::2], [*ticks[1::2], None], strict=False)]
        )
    return score, holes


def without_holes(score, holes):
    """The score without the notes that start in a hole."""

    def is_missing(tick, own):
        return any(start <= tick and (end is None or tick < end) for start, end in own)

    return replace(
        score,
        voices=tuple(
            replace(
                voice, notes=tuple(n for n in voice.notes if not is_missing(n.onset_ticks, own))
            )
            for voice, own in zip(score.voices, holes, strict=True)
        ),
    )

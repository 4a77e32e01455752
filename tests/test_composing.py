"""Harmonizing, regenerating and revising with an untrained model: what holds whatever the model thinks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation, harmonization, regeneration, revision
from seqmusic.generation.feasibility import voice_leading_faults
from seqmusic.generation.partial_candidate import LogProbabilities, Rule
from seqmusic.generation.prompts import harmonization_prompt, regeneration_prompt, with_random_holes
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import PITCH, VOICE
from seqmusic.tonality import scale_pitch_classes

TUNE = "D4:1/8 E4 | F4:1/4 A4 G4 E4 | F4:1/2 E4 | D4:1/2."
D_MINOR = Key(-1, "minor")
CHORALE = parse_theme(
    "G4 A4 B4 C5 | D5:1 ; D4:1/2 E4 | F#4:1 ; B3:1/4 C4 B3 A3 | A3:1 ; G3:1/2 E3 | D3:1",
    key=Key(1, "major"),
)


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()


def lines(score: Score) -> dict[str, tuple[Note, ...]]:
    return {voice.name: voice.notes for voice in score.voices}


@pytest.mark.parametrize("name", ["soprano", "alto", "tenor", "bass"])
def test_what_is_given_comes_back_to_the_tick(model: Transformer, name: str) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    fermata = replace(given.voices[0].notes[-1], fermata=True)
    given = replace(
        given,
        voices=(replace(given.voices[0], notes=(*given.voices[0].notes[:-1], fermata)),),
        tempo_bpm=72.0,
    )
    for own in harmonization(model, given, Request(n=3), names=[name]):
        assert [voice.name for voice in own.score.voices] == list(SATB)
        assert lines(own.score)[name.capitalize()] == given.voices[0].notes
        assert {voice.end_ticks for voice in own.score.voices} == {given.end_ticks}
        assert (own.score.key, own.score.pickup_ticks, own.score.tempo_bpm) == (D_MINOR, 24, 72.0)
        assert own.n_events >= sum(len(voice.notes) for voice in own.score.voices) - given.n_notes


def test_two_voices_are_known_by_their_names(model: Transformer) -> None:
    given = parse_theme("C5 B4 A4 G4 ; C3 G3 F3 G3", key=Key(0, "major"))
    (own,) = harmonization(model, given, Request(n=1))
    assert lines(own.score)["Soprano"] == given.voices[0].notes
    assert lines(own.score)["Bass"] == given.voices[1].notes
    picked = harmonization_prompt(CHORALE, ["soprano"])
    assert picked.holes == ((), *((((0, 192),),) * 3))
    assert not any(voice.notes for voice in picked.score.voices[1:])


@pytest.mark.parametrize(
    ("given", "names", "words"),
    [
        (Score((Voice("Soprano", ()),)), (), "no notes to harmonize"),
        (CHORALE, (), "all four voices are given"),
        (CHORALE, ("tenor", "x"), "a voice is one of soprano, alto, tenor, bass, got 'x'"),
        (
            parse_theme("C5; C4; C3; C2; C2"),
            (),
            r"there are 5 voices .* say which they are, as many names, with --voice",
        ),
        (parse_theme("C5 D5"), ("alto", "bass"), "there are 1 voices"),
        (
            replace(CHORALE, voices=(Voice("Soprano", ()), *CHORALE.voices[1:])),
            ("soprano",),
            "soprano has no notes",
        ),
    ],
)
def test_what_cannot_be_harmonized(given: Score, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        harmonization_prompt(given, names)


def test_strict_music_has_no_faults(model: Transformer) -> None:
    chance = np.random.default_rng(0)
    n_free = 0
    for seed in range(4):
        steps = chance.integers(-4, 5, 12).cumsum() % 17 + 62
        values = chance.choice(["1/4", "1/8", "1/16", "3/16", "1/32", "1/12"], 12)
        given = parse_theme(
            " ".join(f"{pitch}:{value}" for pitch, value in zip(steps, values, strict=True)),
            key=Key(0, "major"),
        )
        request = Request(n=2, seed=seed, rhythm_temperature=0.7, cadence=False)
        for own in harmonization(model, given, replace(request, strict=True)):
            assert list(voice_leading_faults(own.score)) == []
        n_free += sum(
            bool(list(voice_leading_faults(own.score)))
            for own in harmonization(model, given, request)
        )
    assert n_free > 4  # without --strict an untrained model makes faults nearly always


def parallel_motion_rule(lead: int) -> Rule:
    """A rule that moves each voice with the soprano in fifths and octaves, some ticks ahead of it."""

    def rule(log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        if len(log_probabilities) == 97:
            wished = [24 - state.tick % 24 - lead or 24]
        else:
            below = {VOICE + 1: 7, VOICE + 2: 12, VOICE + 3: 19}.get(state.voice or 0)
            sounding = [
                segment.code - PITCH_CODE
                for segment in state.lines[0].given
                if segment.onset <= state.tick + lead < segment.end
            ]
            wished = [PITCH + pitch - below for pitch in sounding if below is not None]
        log_probabilities[wished] += 50.0
        return log_probabilities

    return rule


@pytest.mark.parametrize("lead", [0, 3])
def test_strict_music_has_no_parallels_however_they_are_wished_for(
    model: Transformer, lead: int
) -> None:
    given = parse_theme("C5 D5 E5 F5 | E5 D5 E5 C5")
    for strict in (False, True):
        for own in harmonization(
            model, given, Request(n=2, strict=strict, lenience=1.0), rule=parallel_motion_rule(lead)
        ):
            assert any("parallel" in fault for fault in voice_leading_faults(own.score)) == (
                not strict
            )


def test_strict_music_joins_what_follows_without_parallels(model: Transformer) -> None:
    voices = parse_theme("C5 D5 E5 D5 | E5 D5 C5 D5 | E5 D5 C5:1/2 ; F4:1 | F4 | A4:1/2 F4").voices
    given = Score((voices[0], replace(voices[1], name="Alto")))

    def quarters_on_g(log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        if state.tick % 24 == 0:
            log_probabilities[24 if len(log_probabilities) == 97 else PITCH + 67] += 50.0
        return log_probabilities

    for strict in (False, True):
        made = regeneration(
            model,
            given,
            Request(n=4, strict=strict),
            bars=(2, 2),
            voices=["alto"],
            rule=quarters_on_g,
        )
        found = {fault for own in made for fault in voice_leading_faults(own.score)}
        assert ("soprano and alto move in parallel fifths in bar 3" in found) == (not strict)
        assert bool(found) == (not strict)


def test_strict_regeneration_joins_on_both_sides(model: Transformer) -> None:
    text = "G4 A4 B4 C5 | D5:1/2 B4 | C5:1/4 A4 F#4:1/2 | G4:1"
    whole = harmonization(
        model,
        parse_theme(text, key=Key(1, "major")),
        Request(n=1, strict=True, rhythm_temperature=0.5),
    )[0].score
    for own in regeneration(
        model, whole, Request(n=4, strict=True), bars=(2, 3), voices=["alto", "bass"]
    ):
        assert list(voice_leading_faults(own.score)) == []


def test_lenience_makes_faults_rarer_and_no_less_likely_to_the_model(model: Transformer) -> None:
    given = parse_theme("C5 D5 E5 F5 | E5 D5 E5 C5", key=Key(0, "major"))

    def n_faults(lenience: float) -> int:
        return sum(
            len(list(voice_leading_faults(own.score)))
            for own in harmonization(model, given, Request(n=8, lenience=lenience))
        )

    assert n_faults(1.0) > 2 * n_faults(0.1) > 2 * n_faults(0.001)
    one = {
        own.score: own
        for own in harmonization(model, given, Request(n=3, lenience=1.0, temperature=0))
    }
    same = harmonization(model, given, Request(n=3, lenience=1 - 1e-9, temperature=0))
    assert [own.log_probability for own in same] == [
        pytest.approx(one[own.score].log_probability) for own in same
    ]


def test_faults_by_hand() -> None:
    fifths = parse_theme("G4 A4 | ; C4 D4 |", TimeSignature(2, 4))
    assert list(voice_leading_faults(fifths)) == [
        "soprano and bass move in parallel fifths in bar 1"
    ]
    assert list(voice_leading_faults(parse_theme("C5 D5 ; C4 D4"))) == [
        "soprano and bass move in parallel octaves in bar 1"
    ]
    assert list(voice_leading_faults(parse_theme("R C4 D4 ; R C4 D4"))) == [
        "soprano and bass move in parallel octaves in bar 1"
    ]  # unisons too
    assert list(voice_leading_faults(parse_theme("G4 F4 ; C4 D4"))) == []  # contrary motion
    assert list(voice_leading_faults(parse_theme("G4 G4 ; C4 C4"))) == []  # repeated
    assert list(voice_leading_faults(parse_theme("G4 R A4 ; C4 R D4"))) == []  # a rest between
    assert (
        list(voice_leading_faults(parse_theme("E4 A4 ; C4 D4"))) == []
    )  # hidden fifths are not parallel
    assert list(voice_leading_faults(parse_theme("C4 E4 ; D4 C4"))) == [
        "soprano and bass cross in bar 1"
    ]
    assert list(
        voice_leading_faults(parse_theme("C5 D5 | G4:1/2 ; E4:1/2 | A4", TimeSignature(2, 4)))
    ) == ["soprano and bass cross in bar 2"]
    assert list(voice_leading_faults(parse_theme("G4:1/4 A4 ; C4:7/32 D4:1/32 D4:1/4"))) == [
        "soprano and bass move in parallel fifths in bar 1"
    ]


@pytest.mark.parametrize("key", [Key(-1, "minor"), Key(2, "major")])
def test_a_cadence_ends_on_the_tonic_chord(model: Transformer, key: Key) -> None:
    tonic = {"minor": 2, "major": 2}[key.mode]
    for voices in ("satb", "melody"):
        for own in continuation(
            model, parse_theme("A4 D5", key=key), Request(n=8, cadence=True), bars=2, voices=voices
        ):
            last = [voice.notes[-1].pitch % 12 for voice in own.score.voices]
            assert last[-1] == tonic
            thirds = (
                {(tonic + 4) % 12, (tonic + 3) % 12} if key.mode == "minor" else {(tonic + 4) % 12}
            )
            assert set(last) <= {tonic, (tonic + 7) % 12} | thirds
            assert len(set(last) & thirds) == (1 if voices == "satb" else 0)


@pytest.mark.parametrize(
    ("text", "signature", "bars", "onset"),
    [
        ("A4 D5", "4/4", 2, 96 + 48),
        ("A4 | D5", "4/4", 2, 24 + 96 + 48),  # three beats are left of the last bar
        ("A4 D5", "3/4", 2, 72),
        ("A4:1/8 | D5", "6/8", 2, 12 + 72 + 36),  # 24 ticks are left
        ("A4:1/4 | D5", "2/4", 2, 24 + 48),  # a beat is left of the last bar
    ],
)
def test_all_voices_rest_on_the_last_chord(
    model: Transformer, text: str, signature: str, bars: int, onset: int
) -> None:
    head = parse_theme(text, TimeSignature.parse(signature), Key(2, "major"))
    for voices in ("satb", "melody"):
        for own in continuation(model, head, Request(n=4), bars=bars, voices=voices):
            assert all(voice.notes[-1].onset_ticks <= onset for voice in own.score.voices)
            assert {voice.end_ticks for voice in own.score.voices} == {
                max(own.score.bars()[-1].onset_ticks, own.score.end_ticks)
            }


def test_the_last_chord_begins_with_the_last_note_that_is_given(model: Transformer) -> None:
    given = parse_theme("A4 D5 C#5:1/8 E5 D5:1/4", key=Key(2, "major"))
    onsets = {
        v.notes[-1].onset_ticks
        for own in harmonization(model, given, Request(n=6))
        for v in own.score.voices
    }
    assert max(onsets) == 72
    whole = parse_theme("A4 D5 C#5 E5 | D5:1", key=Key(2, "major"))
    assert {
        v.notes[-1].onset_ticks
        for own in harmonization(model, whole, Request(n=3))
        for v in own.score.voices
    } <= {*range(97)}
    free = harmonization(model, whole, Request(n=3, cadence=False))
    assert max(v.notes[-1].onset_ticks for own in free for v in own.score.voices) > 96


def test_a_scale_and_a_compass_are_kept(model: Transformer) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    for own in harmonization(
        model, given, Request(n=4, scale=True, compass=("bass=C3-60", "tenor=C4-C4"))
    ):
        pitches = {name: {note.pitch for note in notes} for name, notes in lines(own.score).items()}
        assert {pitch % 12 for name in SATB[1:] for pitch in pitches[name]} <= scale_pitch_classes(
            D_MINOR
        )
        assert min(pitches["Bass"]) >= 48
        assert max(pitches["Bass"]) <= 60
        assert pitches["Tenor"] <= {60}


@pytest.mark.parametrize(
    ("text", "key", "asked", "words"),
    [
        (
            "C5 D5",
            Key(0, "major"),
            {"cadence": True},
            "soprano ends on D5, not on a note of the tonic chord of C major",
        ),
        ("C5 D5", None, {"cadence": True}, "a cadence needs a key"),
        ("C5 D5", None, {"scale": True}, "a scale needs a key"),
        (
            "G4 A4 ; C4 D4",
            Key(0, "major"),
            {"strict": True},
            r"parallel fifths in bar 1; as they are given, --strict cannot be met",
        ),
        ("C4 C4 ; D4 D4", Key(0, "major"), {"strict": True}, "soprano and bass cross in bar 1"),
        (
            "C5",
            Key(0, "major"),
            {"cadence": True, "compass": ("tenor=B3-B3",)},
            "compass of the tenor does not hold a note of the tonic",
        ),
        (
            "C5",
            None,
            {"compass": ("tenor=C4",)},
            "a compass is written like soprano=C4-G5, got 'tenor=C4'",
        ),
        ("C5", None, {"compass": ("tenor=C4-H4",)}, "a compass is written like soprano=C4-G5"),
        ("C5", None, {"compass": ("flute=C4-C5",)}, "a compass is written like soprano=C4-G5"),
        ("C5", None, {"compass": ("alto=C5-C4",)}, "from the lowest pitch to the highest"),
    ],
)
def test_what_is_given_may_contradict_what_is_asked(
    model: Transformer, text: str, key: Key | None, asked: dict[str, object], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        harmonization(model, parse_theme(text, key=key), Request(n=1, **asked))


def test_everything_else_stays(model: Transformer) -> None:
    renamed = replace(
        CHORALE,
        voices=tuple(replace(v, name=f"Part {i}") for i, v in enumerate(CHORALE.voices)),
        title="A title",
    )
    for own in regeneration(model, renamed, Request(n=3), bars=(1, 1), voices=["alto", "part 2"]):
        assert [voice.name for voice in own.score.voices] == [
            voice.name for voice in renamed.voices
        ]
        for number, (before, after) in enumerate(
            zip(renamed.voices, own.score.voices, strict=True)
        ):
            start = 96 if number in (1, 2) else 0
            kept = tuple(note for note in after.notes if note.onset_ticks >= start)
            assert kept == tuple(note for note in before.notes if note.onset_ticks >= start)
        assert own.score.title == "A title"


def test_bars_are_those_of_the_page() -> None:
    score = parse_theme("D4:1/8 E4 | F4:1/4 A4 G4 E4 | F4:1/2 E4 | D4:1/2.")
    assert regeneration_prompt(score, (0, 0)).holes == (((0, 24),),)
    assert regeneration_prompt(score, (2, 3)).holes == (((120, 288),),)
    assert regeneration_prompt(score).holes == (((0, 288),),)
    held = parse_theme("C4:1/4 C4:1/2. | _:1/4 E4:1/2 F4:1/4 | _:1/2 G4 | C4:1")
    assert regeneration_prompt(held, (2, 2)).holes == (
        ((120, 240),),
    )  # the note held in stays, the one held out goes


@pytest.mark.parametrize(
    ("bars", "voices", "words"),
    [
        ((3, 2), (), "bars 3-2 hold nothing"),
        ((1, 9), (), r"bars 1-9 are not there; the music has bars 1-2 \(a pickup is bar 0\)"),
        ((0, 1), (), "bars 0-1 are not there"),
        (None, ("flute",), "a voice is one of soprano, alto, tenor, bass, got 'flute'"),
    ],
)
def test_what_cannot_be_regenerated(
    bars: tuple[int, int] | None, voices: tuple[str, ...], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        regeneration_prompt(CHORALE, bars, voices)


def test_regions_in_which_nothing_begins() -> None:
    long = parse_theme("C4:2 | D4:1", TimeSignature(4, 2))
    with pytest.raises(RequestError, match="the score has no notes"):
        regeneration_prompt(replace(long, voices=(Voice("Soprano", ()),)))
    tied = Score((Voice("Soprano", (Note(0, 192, 60),)),), ((0, TimeSignature(4, 4)),))
    with pytest.raises(RequestError, match="no note begins there"):
        regeneration_prompt(tied, (2, 2))


def test_scattered_holes_are_whole_notes() -> None:
    whole = regeneration_prompt(CHORALE, (1, 1), ["soprano", "tenor"])
    for seed in range(20):
        prompt = with_random_holes(whole, 0.4, np.random.default_rng(seed))
        assert prompt.holes[1] == prompt.holes[3] == ()
        assert any(prompt.holes)
        for voice, holes in zip(CHORALE.voices, prompt.holes, strict=True):
            onsets, ends = (
                {getattr(note, name) for note in voice.notes}
                for name in ("onset_ticks", "end_ticks")
            )
            assert all(
                start in onsets and end in ends and start < end <= 96 for start, end in holes
            )


def test_revision_goes_round_by_round(model: Transformer) -> None:
    told: list[tuple[int, int, float]] = []
    busy = parse_theme(
        "C5:1/16 D5 E5 F5 G5 F5 E5 D5 C5 D5 E5 F5 G5 F5 E5 D5 ; C4:1/4 G4 E4 C4",
        key=Key(0, "major"),
    )
    (own,) = revision(
        model,
        busy,
        Request(n=1, seed=2),
        share=0.5,
        rounds=8,
        voices=["soprano"],
        show=lambda *row: told.append(row),
    )
    assert lines(own.score)["Bass"] == busy.voices[1].notes
    assert lines(own.score)["Soprano"] != busy.voices[0].notes
    assert [row[:2] for row in told] == [(0, round_) for round_ in range(9)]
    assert told[-1][2] == pytest.approx(own.log_probability)
    assert [row[2] for row in told] == sorted(row[2] for row in told)
    assert told[-1][2] > told[0][2]
    with pytest.raises(ValueError, match="share of notes must be in"):
        revision(model, CHORALE, share=0.0)
    with pytest.raises(ValueError, match="rounds must be in"):
        revision(model, CHORALE, share=0.1, rounds=0)


def test_a_candidate_does_not_depend_on_the_others(model: Transformer) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    three = {own.score for own in harmonization(model, given, Request(n=3, seed=4, strict=True))}
    assert harmonization(model, given, Request(n=1, seed=4, strict=True))[0].score in three

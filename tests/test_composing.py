"""Harmonizing and regenerating with an untrained model: laws that hold for any model."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation, harmonization, regeneration, stream
from seqmusic.generation.feasibility import voice_leading_faults
from seqmusic.generation.partial_candidate import LogProbabilities, Rule
from seqmusic.generation.prompts import harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import SATB, Key, Note, Score, TimeSignature
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.fermatas import without_fermatas
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import FERMATA, PITCH, VOICE
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
def test_given_voices_are_kept_to_the_tick(model: Transformer, name: str) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    fermata = replace(given.voices[0].notes[-1], fermata=True)
    given = replace(
        given,
        voices=(replace(given.voices[0], notes=(*given.voices[0].notes[:-1], fermata)),),
        tempo_bpm=72.0,
    )
    for candidate in harmonization(model, given, Request(n=3), names=[name]):
        assert [voice.name for voice in candidate.score.voices] == list(SATB)
        assert lines(candidate.score)[name.capitalize()] == given.voices[0].notes
        assert {voice.end_ticks for voice in candidate.score.voices} == {given.end_ticks}
        assert (candidate.score.key, candidate.score.pickup_ticks, candidate.score.tempo_bpm) == (
            D_MINOR,
            24,
            72.0,
        )
        assert (
            candidate.n_events
            >= sum(len(voice.notes) for voice in candidate.score.voices) - given.n_notes
        )


def test_two_given_voices_are_matched_by_name(model: Transformer) -> None:
    given = parse_theme("C5 B4 A4 G4 ; C3 G3 F3 G3", key=Key(0, "major"))
    (candidate,) = harmonization(model, given, Request(n=1))
    assert lines(candidate.score)["Soprano"] == given.voices[0].notes
    assert lines(candidate.score)["Bass"] == given.voices[1].notes
    picked = harmonization_prompt(CHORALE, ["soprano"])
    assert picked.holes == ((), *((((0, 192),),) * 3))
    assert not any(voice.notes for voice in picked.score.voices[1:])


def test_strict_music_has_no_faults(model: Transformer) -> None:
    rng = np.random.default_rng(0)
    n_free = 0
    for seed in range(4):
        steps = rng.integers(-4, 5, 12).cumsum() % 17 + 62
        values = rng.choice(["1/4", "1/8", "1/16", "3/16", "1/32", "1/12"], 12)
        given = parse_theme(
            " ".join(f"{pitch}:{value}" for pitch, value in zip(steps, values, strict=True)),
            key=Key(0, "major"),
        )
        request = Request(n=2, seed=seed, rhythm_temperature=0.7, cadence=False)
        for candidate in harmonization(model, given, replace(request, strict=True)):
            assert list(voice_leading_faults(candidate.score)) == []
        n_free += sum(
            bool(list(voice_leading_faults(candidate.score)))
            for candidate in harmonization(model, given, request)
        )
    assert n_free > 4  # without --strict an untrained model nearly always commits faults


def parallel_motion_rule(lead: int) -> Rule:
    """A rule that prefers parallel motion with the soprano, some ticks ahead of it."""

    def rule(log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        if len(log_probabilities) == 97:
            preferred = [24 - state.tick % 24 - lead or 24]
        else:
            below = {VOICE + 1: 7, VOICE + 2: 12, VOICE + 3: 19}.get(state.voice or 0)
            sounding = [
                segment.code - PITCH_CODE
                for segment in state.lines[0].given
                if segment.onset <= state.tick + lead < segment.end
            ]
            preferred = [PITCH + pitch - below for pitch in sounding if below is not None]
        log_probabilities[preferred] += 50.0
        return log_probabilities

    return rule


@pytest.mark.parametrize("lead", [0, 3])
def test_strict_music_has_no_parallels_even_if_a_rule_prefers_them(
    model: Transformer, lead: int
) -> None:
    given = parse_theme("C5 D5 E5 F5 | E5 D5 E5 C5")
    for strict in (False, True):
        for candidate in harmonization(
            model, given, Request(n=2, strict=strict, lenience=1.0), rule=parallel_motion_rule(lead)
        ):
            assert any("parallel" in fault for fault in voice_leading_faults(candidate.score)) == (
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
        candidates = regeneration(
            model,
            given,
            Request(n=4, strict=strict),
            bars=(2, 2),
            voices=["alto"],
            rule=quarters_on_g,
        )
        faults = {
            fault for candidate in candidates for fault in voice_leading_faults(candidate.score)
        }
        assert ("soprano and alto move in parallel fifths in bar 3" in faults) == (not strict)
        assert bool(faults) == (not strict)


def test_strict_regeneration_joins_on_both_sides(model: Transformer) -> None:
    text = "G4 A4 B4 C5 | D5:1/2 B4 | C5:1/4 A4 F#4:1/2 | G4:1"
    whole = harmonization(
        model,
        parse_theme(text, key=Key(1, "major")),
        Request(n=1, strict=True, rhythm_temperature=0.5),
    )[0].score
    for candidate in regeneration(
        model, whole, Request(n=4, strict=True), bars=(2, 3), voices=["alto", "bass"]
    ):
        assert list(voice_leading_faults(candidate.score)) == []


def test_less_lenience_makes_faults_rarer_and_leaves_log_probabilities(model: Transformer) -> None:
    given = parse_theme("C5 D5 E5 F5 | E5 D5 E5 C5", key=Key(0, "major"))

    def n_faults(lenience: float) -> int:
        return sum(
            len(list(voice_leading_faults(candidate.score)))
            for candidate in harmonization(model, given, Request(n=8, lenience=lenience))
        )

    assert n_faults(1.0) > 2 * n_faults(0.1) > 2 * n_faults(0.001)
    greedy = {
        candidate.score: candidate
        for candidate in harmonization(model, given, Request(n=3, lenience=1.0, temperature=0))
    }
    same = harmonization(model, given, Request(n=3, lenience=1 - 1e-9, temperature=0))
    assert [candidate.log_probability for candidate in same] == [
        pytest.approx(greedy[candidate.score].log_probability) for candidate in same
    ]


@pytest.mark.parametrize("key", [Key(-1, "minor"), Key(2, "major")])
def test_a_cadence_ends_on_the_tonic_chord(model: Transformer, key: Key) -> None:
    tonic = {"minor": 2, "major": 2}[key.mode]
    for voices in ("satb", "melody"):
        for candidate in continuation(
            model, parse_theme("A4 D5", key=key), Request(n=8, cadence=True), bars=2, voices=voices
        ):
            last = [voice.notes[-1].pitch % 12 for voice in candidate.score.voices]
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
    theme = parse_theme(text, TimeSignature.parse(signature), Key(2, "major"))
    for voices in ("satb", "melody"):
        for candidate in continuation(model, theme, Request(n=4), bars=bars, voices=voices):
            assert all(voice.notes[-1].onset_ticks <= onset for voice in candidate.score.voices)
            assert {voice.end_ticks for voice in candidate.score.voices} == {
                max(candidate.score.bars()[-1].onset_ticks, candidate.score.end_ticks)
            }


def test_the_last_chord_begins_with_the_last_given_note(model: Transformer) -> None:
    given = parse_theme("A4 D5 C#5:1/8 E5 D5:1/4", key=Key(2, "major"))
    onsets = {
        v.notes[-1].onset_ticks
        for candidate in harmonization(model, given, Request(n=6))
        for v in candidate.score.voices
    }
    assert max(onsets) == 72
    whole = parse_theme("A4 D5 C#5 E5 | D5:1", key=Key(2, "major"))
    assert {
        v.notes[-1].onset_ticks
        for candidate in harmonization(model, whole, Request(n=3))
        for v in candidate.score.voices
    } <= {*range(97)}
    free = harmonization(model, whole, Request(n=3, cadence=False))
    assert max(v.notes[-1].onset_ticks for candidate in free for v in candidate.score.voices) > 96


def test_a_scale_and_a_compass_are_kept(model: Transformer) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    for candidate in harmonization(
        model, given, Request(n=4, scale=True, compass=("bass=C3-60", "tenor=C4-C4"))
    ):
        pitches = {
            name: {note.pitch for note in notes} for name, notes in lines(candidate.score).items()
        }
        assert {pitch % 12 for name in SATB[1:] for pitch in pitches[name]} <= scale_pitch_classes(
            D_MINOR
        )
        assert min(pitches["Bass"]) >= 48
        assert max(pitches["Bass"]) <= 60
        assert pitches["Tenor"] <= {60}


def test_regenerating_changes_nothing_else(model: Transformer) -> None:
    renamed = replace(
        CHORALE,
        voices=tuple(replace(v, name=f"Part {i}") for i, v in enumerate(CHORALE.voices)),
        title="A title",
    )
    for candidate in regeneration(
        model, renamed, Request(n=3), bars=(1, 1), voices=["alto", "part 2"]
    ):
        assert [voice.name for voice in candidate.score.voices] == [
            voice.name for voice in renamed.voices
        ]
        for number, (before, after) in enumerate(
            zip(renamed.voices, candidate.score.voices, strict=True)
        ):
            start = 96 if number in (1, 2) else 0
            kept = tuple(note for note in after.notes if note.onset_ticks >= start)
            assert kept == tuple(note for note in before.notes if note.onset_ticks >= start)
        assert candidate.score.title == "A title"


def test_a_candidate_does_not_depend_on_the_others(model: Transformer) -> None:
    given = parse_theme(TUNE, key=D_MINOR)
    three = {
        candidate.score
        for candidate in harmonization(model, given, Request(n=3, seed=4, strict=True))
    }
    assert harmonization(model, given, Request(n=1, seed=4, strict=True))[0].score in three


@pytest.fixture(scope="module")
def phrasing_model(model: Transformer) -> Transformer:
    """An untrained model that draws fermatas often."""
    phrasing = copy.deepcopy(model)
    phrasing.vocabulary = replace(VOCABULARY, marks_phrases=True)
    with torch.no_grad():
        phrasing.heads.sound.bias[FERMATA] = 3.0
    return phrasing


def fermata_onsets(score: Score) -> list[set[int]]:
    return [{note.onset_ticks for note in voice.notes if note.fermata} for voice in score.voices]


def test_a_model_that_knows_phrases_ends_some_with_fermatas(phrasing_model: Transformer) -> None:
    given = parse_theme(TUNE.replace("E4 | D4:1/2.", "E4^ | D4:1/2."), key=D_MINOR)
    (candidate,) = harmonization(phrasing_model, given, Request(n=1, seed=3))
    onsets = fermata_onsets(candidate.score)
    assert fermata_onsets(given)[0] < onsets[0]  # more than were typed
    chords = set().union(*onsets)
    for voice, marked in zip(candidate.score.voices, onsets, strict=True):
        assert marked == chords & {note.onset_ticks for note in voice.notes}
    soprano = without_fermatas(candidate.score).voices[0]
    assert soprano.notes == without_fermatas(given).voices[0].notes


def test_no_phrase_ends_just_before_the_last_chord(phrasing_model: Transformer) -> None:
    """The last chord of four bars in 4/4 starts on the middle of the last one, at tick 336."""
    theme = parse_theme("D4 E4 F4 G4", key=D_MINOR)
    candidates = continuation(phrasing_model, theme, Request(n=4, cadence=True), bars=4)
    onsets = [onset for one in candidates for onset in set().union(*fermata_onsets(one.score))]
    assert not any(240 < onset < 336 for onset in onsets)
    assert any(onset >= 336 for onset in onsets)


def test_fermatas_are_streamed_as_they_are_composed(phrasing_model: Transformer) -> None:
    theme = parse_theme("D4 E4 F4^", key=D_MINOR)
    request = Request(n=1, seed=4)
    (candidate,) = continuation(phrasing_model, theme, request, bars=3)
    streamed = set(stream(phrasing_model, theme, request, bars=3))
    composed = {(voice.name, note) for voice in candidate.score.voices for note in voice.notes}
    assert streamed < composed
    assert any(note.fermata for _, note in streamed)


def test_a_model_that_knows_no_phrases_keeps_typed_fermatas(model: Transformer) -> None:
    given = parse_theme("D4 E4 F4^", key=D_MINOR)
    (candidate,) = continuation(model, given, Request(n=1), bars=2)
    assert fermata_onsets(candidate.score) == [{48}, set(), set(), set()]

"""Explanations by an untrained model: laws that hold for any model."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import prefill_prompt
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.note_surprise import explain
from seqmusic.generation.prompts import Prompt, continuation_prompt
from seqmusic.generation.request import Request
from seqmusic.generation.sampling import log_softmax
from seqmusic.metrics.likelihood import score_events
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.report.explanation import Explanation
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, VOCABULARY, make_grammar_masks
from seqmusic.score import SATB, Key, Note, Score, Voice, melody
from seqmusic.spelling import spell_notes
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import BODY, EOS, PITCH, REST, id_to_timesig
from seqmusic.tokens.vocabulary import KEY as FIRST_KEY
from seqmusic.tonality import spell

HOLES = (((48, 96),), (), ((0, 24), (72, 96)), ((0, 96),))
PIECE = Score(
    tuple(
        Voice(
            name,
            tuple(
                Note(onset, 24, pitch + onset // 24)
                for onset in range(0, 96, 24)
                if (onset, name) != (24, "Bass")
            ),
        )
        for name, pitch in zip(SATB, (72, 65, 57, 46), strict=True)
    ),
    key=Key(-3, "minor"),
)


PROMPT = Prompt(PIECE, HOLES)
MELODY = Prompt(
    Score((Voice("Soprano", (Note(0, 24, 67),)),), key=Key(1, "major")), (((24, 480),),)
)


def random_model(strength: float) -> Transformer:
    """An untrained model, whose predictions are more extreme the larger its weights are."""
    torch.manual_seed(3)
    model = Transformer(
        ModelSettings(width=16, layers=2, heads=2, context_length=256), VOCABULARY
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(strength)
    return model


@pytest.fixture(scope="module")
def model() -> Transformer:
    return random_model(6)


def body_nats(model: Transformer, score: Score, holes: object) -> tuple[np.ndarray, np.ndarray]:
    """Nats of the sounds and of the durations after BODY, by the code that measures likelihoods."""
    events = encode(score, holes)  # type: ignore[arg-type]
    (scores,) = score_events(
        model, [trace(events, DEFAULT_MAX_VOICES)], make_grammar_masks(torch.device("cpu"))
    )
    is_body = scores.rows >= events.index((BODY, 0))
    return scores.sound_nats[is_body], scores.duration_nats[is_body]


@pytest.mark.parametrize("prompt", [None, PROMPT], ids=["nothing given", "holes"])
def test_bits_are_the_nats_of_the_likelihood(model: Transformer, prompt: Prompt | None) -> None:
    explanation = explain(model, PIECE, prompt)
    sound_nats, duration_nats = body_nats(model, PIECE, prompt and prompt.holes)
    assert explanation.bits == pytest.approx((sound_nats + duration_nats).sum() / math.log(2))
    # The last one is EOS. Notes are explained from high to low, but composed outer voices first.
    for bits, nats in (
        ([event.sound_bits for event in explanation.composed], sound_nats[:-1]),
        ([event.duration_bits for event in explanation.composed], duration_nats[:-1]),
    ):
        assert sorted(bits) == pytest.approx(np.sort(nats) / math.log(2))
    assert explanation.other_bits == pytest.approx(sound_nats[-1] / math.log(2))


def test_notes_outside_the_holes_are_given_and_every_note_is_explained_once(
    model: Transformer,
) -> None:
    explanation = explain(model, PIECE, PROMPT)
    explained = Counter(
        (e.voice, e.onset_ticks, e.duration_ticks, e.pitch)
        for e in explanation.events
        if e.pitch is not None
    )
    written = [
        (v, n.onset_ticks, n.duration_ticks, n.pitch)
        for v, voice in enumerate(PIECE.voices)
        for n in voice.notes
    ]
    assert explained == Counter(written)
    assert [(e.voice, e.onset_ticks) for e in explanation.events] == sorted(
        ((e.voice, e.onset_ticks) for e in explanation.events), key=lambda pair: pair[::-1]
    )
    given = {(e.voice, e.onset_ticks) for e in explanation.events if e.is_given}
    assert given == {(0, 0), (0, 24), (1, 0), (1, 24), (1, 48), (1, 72), (2, 24), (2, 48)}
    assert not any(e.bits or e.alternatives for e in explanation.events if e.is_given)
    assert [(e.voice, e.onset_ticks) for e in explanation.composed if e.pitch is None] == [(3, 24)]
    assert all(e.bits > 0 and len(e.alternatives) == 5 for e in explanation.composed)


@pytest.mark.parametrize(
    ("strength", "likely"), [(6, None), (0.5, slice(PITCH, FIRST_KEY)), (6, EOS), (0.5, None)]
)
def test_alternatives_are_the_likeliest_pairs_of_all(
    strength: float, likely: int | slice | None
) -> None:
    """Every pair that may stand in place of the second note, one by one, as music is composed."""
    model = random_model(strength)
    if likely is not None:
        with torch.no_grad():
            model.heads.sound.bias[likely] += 30
    line = melody([Note(0, 24, 60), Note(24, 24, 64), Note(48, 48, 62)], key=Key(2, "major"))
    events = encode(line)
    state, decoder, context = prefill_prompt(model, events[: events.index((BODY, 0)) + 2])
    pairs = {}
    sounds = log_softmax(
        decoder.sound_logits(context)[0], rules.sound_masks(DEFAULT_MAX_VOICES)[state.sound_rule]
    )
    for sound in np.flatnonzero(np.isfinite(sounds)).tolist():
        logits = decoder.duration_logits(context, np.array([sound]))[0]
        is_note = sound < FIRST_KEY and sound != EOS
        mask = rules.duration_masks()[state.duration_rule(sound) if is_note else rules.ONLY_ZERO]
        pairs |= {
            (sound, ticks): p for ticks, p in enumerate(sounds[sound] + log_softmax(logits, mask))
        }
    best = sorted(pairs, key=lambda pair: -pairs[pair])[:5]
    alternatives = explain(model, line).events[1].alternatives
    assert [one.duration_ticks for one in alternatives] == [ticks for _, ticks in best]
    assert [one.probability for one in alternatives] == pytest.approx(
        [math.exp(pairs[pair]) for pair in best], rel=1e-4
    )
    names = {REST: "rest", EOS: "the end"} | {
        PITCH + pitch: str(spell(pitch, line.key)) for pitch in range(128)
    }
    assert [one.sound for one in alternatives] == [
        names.get(sound) or f"change to {id_to_timesig(sound)}" for sound, _ in best
    ]


def test_the_probability_of_a_written_alternative_is_that_of_its_bits(model: Transformer) -> None:
    candidates = compose_candidates(model, MELODY, Request(n=9, temperature=0.3))
    written = [
        (event, one, spell_notes(candidate.score)[event.voice])
        for candidate in candidates
        for event in explain(model, candidate.score, MELODY).composed
        for one in event.alternatives
        if one.is_written
    ]
    assert len(written) > 12
    for event, one, spellings in written:
        assert one.probability == pytest.approx(2**-event.bits, rel=1e-3)
        assert one.sound == str(spellings.get(event.onset_ticks, "rest"))


def test_a_candidate_is_no_less_surprising_than_while_it_was_composed(
    model: Transformer,
) -> None:
    prompt = continuation_prompt(parse_theme("G4 A4 B4 C5", key=Key(1, "major")), 2)
    for candidate in compose_candidates(model, prompt, Request(n=4)):
        explanation = explain(model, candidate.score, prompt)
        assert explanation.bits >= -candidate.log_probability / math.log(2) - 1e-3
        assert len(explanation.composed) == candidate.n_events
        assert [(e.voice, e.pitch) for e in explanation.events if e.is_given] == [
            (0, 67),
            (0, 69),
            (0, 71),
            (0, 72),
        ]


@pytest.mark.parametrize("pitch", [60, None])
def test_the_parts_of_a_long_note_are_one_event_with_all_their_bits(
    model: Transformer, pitch: int | None
) -> None:
    long = [Note(24, 250, pitch)] if pitch is not None else []
    score = melody([Note(0, 24, 62), *long, Note(274, 24, 64)])
    explanation = explain(model, score)
    assert [(e.onset_ticks, e.duration_ticks, e.pitch) for e in explanation.events] == [
        (0, 24, 62),
        (24, 250, pitch),
        (274, 24, 64),
    ]
    sound_nats, duration_nats = body_nats(model, score, None)
    assert explanation.events[1].bits == pytest.approx(
        (sound_nats + duration_nats)[1:4].sum() / math.log(2)
    )
    written = [one for one in explanation.events[1].alternatives if one.is_written]
    assert all(one.duration_ticks == 96 for one in written)  # alternatives to its first part


def test_an_explanation_has_the_pitches_and_voices_of_the_score(
    model: Transformer,
) -> None:
    """A piece three octaves low with other names of voices, as it would be composed."""
    low = PIECE.transposed(-36)
    named = replace(
        low, voices=tuple(replace(voice, name=f"Viol {i}") for i, voice in enumerate(low.voices))
    )
    explanation, usual = explain(model, named, Prompt(low, HOLES)), explain(model, PIECE, PROMPT)
    assert explanation.bits == usual.bits
    assert [event.pitch for event in explanation.events] == [
        event.pitch and event.pitch - 36 for event in usual.events
    ]
    pairs = [
        pair
        for a, b in zip(explanation.composed, usual.composed, strict=True)
        for pair in zip(a.alternatives, b.alternatives, strict=True)
    ]
    octaves = {
        int(b.sound[-1]) - int(a.sound.lstrip("ABCDEFG#b"))
        for a, b in pairs
        if b.sound[-1].isdigit() and "-" not in b.sound
    }
    assert octaves == {3}


def test_a_score_that_is_too_long_is_refused(model: Transformer) -> None:
    long = melody([Note(24 * i, 24, 60 + i % 5) for i in range(300)])
    with pytest.raises(RequestError, match="the score has 307 events; this model follows 256"):
        explain(model, long)


def test_an_explanation_adds_up() -> None:
    empty = Explanation((), 0.5)
    assert (empty.bits, empty.bits_per_note, empty.composed) == (0.5, 0.0, ())

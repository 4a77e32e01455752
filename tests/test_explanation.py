"""Explanations by an untrained model: what holds whatever the model thinks."""

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
    """An untrained model, whose opinions are the stronger the larger its weights are."""
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
    told = explain(model, PIECE, prompt)
    sound_nats, duration_nats = body_nats(model, PIECE, prompt and prompt.holes)
    assert told.bits == pytest.approx((sound_nats + duration_nats).sum() / math.log(2))
    assert [event.sound_bits for event in told.composed] == pytest.approx(
        sound_nats[:-1] / math.log(2)
    )  # the last one is EOS
    assert [event.duration_bits for event in told.composed] == pytest.approx(
        duration_nats[:-1] / math.log(2)
    )
    assert told.other_bits == pytest.approx(sound_nats[-1] / math.log(2))


def test_notes_outside_the_holes_are_given_and_every_note_is_told_once(model: Transformer) -> None:
    told = explain(model, PIECE, PROMPT)
    own = Counter(
        (e.voice, e.onset_ticks, e.duration_ticks, e.pitch)
        for e in told.events
        if e.pitch is not None
    )
    drawn = [
        (v, n.onset_ticks, n.duration_ticks, n.pitch)
        for v, voice in enumerate(PIECE.voices)
        for n in voice.notes
    ]
    assert own == Counter(drawn)
    assert [(e.voice, e.onset_ticks) for e in told.events] == sorted(
        ((e.voice, e.onset_ticks) for e in told.events), key=lambda place: place[::-1]
    )
    given = {(e.voice, e.onset_ticks) for e in told.events if e.is_given}
    assert given == {(0, 0), (0, 24), (1, 0), (1, 24), (1, 48), (1, 72), (2, 24), (2, 48)}
    assert not any(e.bits or e.alternatives for e in told.events if e.is_given)
    assert [(e.voice, e.onset_ticks) for e in told.composed if e.pitch is None] == [(3, 24)]
    assert all(e.bits > 0 and len(e.alternatives) == 5 for e in told.composed)


@pytest.mark.parametrize(
    ("strength", "likely"), [(6, None), (0.5, slice(PITCH, FIRST_KEY)), (6, EOS), (0.5, None)]
)
def test_alternatives_are_the_likeliest_pairs_of_all(
    strength: float, likely: int | slice | None
) -> None:
    """Every pair that may stand where the second note is, each asked for by itself, step by step as music is composed."""
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
    told = explain(model, line).events[1].alternatives
    assert [one.duration_ticks for one in told] == [ticks for _, ticks in best]
    assert [one.probability for one in told] == pytest.approx(
        [math.exp(pairs[pair]) for pair in best], rel=1e-4
    )
    words = {REST: "rest", EOS: "the end"} | {
        PITCH + pitch: str(spell(pitch, line.key)) for pitch in range(128)
    }
    assert [one.sound for one in told] == [
        words.get(sound) or f"change to {id_to_timesig(sound)}" for sound, _ in best
    ]


def test_a_written_alternative_is_as_likely_as_it_is_surprising(model: Transformer) -> None:
    candidates = compose_candidates(model, MELODY, Request(n=6, temperature=0.3))
    events = [event for own in candidates for event in explain(model, own.score, MELODY).composed]
    written = [(event, one) for event in events for one in event.alternatives if one.is_written]
    assert len(written) > 12
    for event, one in written:
        assert one.probability == pytest.approx(2**-event.bits, rel=1e-3)
        assert one.sound == (
            "rest" if event.pitch is None else str(spell(event.pitch, MELODY.score.key))
        )


def test_a_candidate_is_no_less_surprising_here_than_while_it_was_composed(
    model: Transformer,
) -> None:
    prompt = continuation_prompt(parse_theme("G4 A4 B4 C5", key=Key(1, "major")), 2)
    for own in compose_candidates(model, prompt, Request(n=4)):
        told = explain(model, own.score, prompt)
        assert told.bits >= -own.log_probability / math.log(2) - 1e-3
        assert len(told.composed) == own.n_events
        assert [(e.voice, e.pitch) for e in told.events if e.is_given] == [
            (0, 67),
            (0, 69),
            (0, 71),
            (0, 72),
        ]


@pytest.mark.parametrize("pitch", [60, None])
def test_what_is_cut_because_it_is_long_is_one_event_with_all_its_bits(
    model: Transformer, pitch: int | None
) -> None:
    long = [Note(24, 250, pitch)] if pitch is not None else []
    score = melody([Note(0, 24, 62), *long, Note(274, 24, 64)])
    told = explain(model, score)
    assert [(e.onset_ticks, e.duration_ticks, e.pitch) for e in told.events] == [
        (0, 24, 62),
        (24, 250, pitch),
        (274, 24, 64),
    ]
    sound_nats, duration_nats = body_nats(model, score, None)
    assert told.events[1].bits == pytest.approx(
        (sound_nats + duration_nats)[1:4].sum() / math.log(2)
    )
    written = [one for one in told.events[1].alternatives if one.is_written]
    assert all(one.duration_ticks == 96 for one in written), (
        "what might have been is about where it begins"
    )


def test_what_the_model_saw_in_its_compass_and_by_its_names_is_told_as_it_is_written(
    model: Transformer,
) -> None:
    """A piece three octaves low, its voices called otherwise, was composed where the model knows voices."""
    low = PIECE.transposed(-36)
    named = replace(
        low, voices=tuple(replace(voice, name=f"Viol {i}") for i, voice in enumerate(low.voices))
    )
    told, usual = explain(model, named, Prompt(low, HOLES)), explain(model, PIECE, PROMPT)
    assert told.bits == usual.bits
    assert [event.pitch for event in told.events] == [
        event.pitch and event.pitch - 36 for event in usual.events
    ]
    pairs = [
        pair
        for a, b in zip(told.composed, usual.composed, strict=True)
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

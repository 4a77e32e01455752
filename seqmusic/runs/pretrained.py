"""Trained models: the vocabulary of the tokens, and the models that come with seqmusic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from seqmusic.errors import CheckpointError
from seqmusic.model.decoding.packed_model import ArrayModel, pack_model
from seqmusic.model.settings import Vocabulary
from seqmusic.runs.judge_weights import read_judge_weights
from seqmusic.runs.weights import WEIGHTS_FILE, read_weights
from seqmusic.score import SATB, Score
from seqmusic.tokens import rules
from seqmusic.tokens.context import PITCH_CODE, context_columns, context_sizes, key_tonics
from seqmusic.tokens.fermatas import without_fermatas
from seqmusic.tokens.vocabulary import (
    KEY,
    N_DURATIONS,
    N_SOUNDS,
    N_VOICE_NAMES,
    PITCH,
    VOICE,
    voice_column,
)
from seqmusic.tokens.vocabulary import MAX_VOICES as MAX_TOKEN_VOICES

if TYPE_CHECKING:
    import torch

    from seqmusic.model.transformer import Transformer
    from seqmusic.training.batches import GrammarMasks

PRETRAINED = Path(__file__).parent.parent / "pretrained"
DEFAULT_MODEL = "chorales"
BENCHMARK_MODELS = (Path("jsb"), Path("jsb-2"), Path("jsb-3"))
_GRAMMAR_VERSION = 2
_LOWEST_TONIC = 60  # MIDI number to which the pitch class of a tonic is added
DEFAULT_MAX_VOICES = 4  # of the models that come with seqmusic, and the fewest of any model


def _tonic_pitches() -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(-1 if tonic is None else _LOWEST_TONIC + tonic for tonic in tonics)
        for tonics in key_tonics()
    )


@cache
def make_vocabulary(
    max_voices: int = DEFAULT_MAX_VOICES,
    *,
    has_numbered_voices: bool = False,
    marks_phrases: bool = False,
) -> Vocabulary:
    """The vocabulary of pieces with up to `max_voices` voices.

    Args:
        max_voices, has_numbered_voices, marks_phrases: as in `Vocabulary`.
    """
    columns, voices = context_columns(max_voices), range(max_voices)
    return Vocabulary(
        n_sounds=N_SOUNDS,
        n_durations=N_DURATIONS,
        max_voices=max_voices,
        context_sizes=context_sizes(max_voices),
        first_pitch=PITCH,
        n_pitches=KEY - PITCH,
        pitch_columns=tuple(
            columns.index(f"{n}_{v}") for n in ("sound", "ahead", "parallel") for v in voices
        ),
        pitch_shift=PITCH_CODE,
        voice_column=columns.index("voice"),
        voice_pitch_column=(
            0,
            *(voice_column(VOICE + index) % max_voices for index in range(N_VOICE_NAMES)),
        ),
        end_columns=tuple(
            (columns.index(f"{n}_{v}"), off)
            for n, off in (("remaining", 0), ("until_ahead", 1))
            for v in voices
        ),
        position_column=columns.index("position"),
        key_column=columns.index("key"),
        tonics=_tonic_pitches(),
        has_numbered_voices=has_numbered_voices,
        marks_phrases=marks_phrases,
    )


VOCABULARY = make_vocabulary()


def learned_voice_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names of the voices that a model with this vocabulary has learned."""
    if vocabulary.has_numbered_voices:
        return tuple(f"Voice {number}" for number in range(1, vocabulary.max_voices + 1))
    return SATB


def readable_score(vocabulary: Vocabulary, score: Score) -> Score:
    """The score without the fermatas, if a model with this vocabulary has not learned them."""
    return score if vocabulary.marks_phrases else without_fermatas(score)


def vocabulary_to_dict(vocabulary: Vocabulary) -> dict[str, object]:
    """The description of the tokens that is stored with a model."""
    tokens: dict[str, object] = {
        "grammar": _GRAMMAR_VERSION,
        "max_voices": vocabulary.max_voices,
        "n_sounds": N_SOUNDS,
        "n_durations": N_DURATIONS,
    }
    if vocabulary.has_numbered_voices:
        tokens["numbered_voices"] = True
    if vocabulary.marks_phrases:
        tokens["phrases"] = True
    return tokens


def vocabulary_from_dict(tokens: Mapping[str, object]) -> Vocabulary:
    """The vocabulary of a description, the inverse of `vocabulary_to_dict`.

    Raises:
        ValueError: the description is not of the tokens of this version.
    """
    max_voices = tokens.get("max_voices")
    if type(max_voices) is int and 1 <= max_voices <= MAX_TOKEN_VOICES:
        vocabulary = make_vocabulary(
            max_voices,
            has_numbered_voices=tokens.get("numbered_voices") is True,
            marks_phrases=tokens.get("phrases") is True,
        )
        if vocabulary_to_dict(vocabulary) == tokens:
            return vocabulary
    raise ValueError(
        f"made with other tokens, {json.dumps(tokens)}; "
        f"here {json.dumps(vocabulary_to_dict(VOCABULARY))}"
    )


def make_grammar_masks(device: torch.device, max_voices: int = DEFAULT_MAX_VOICES) -> GrammarMasks:
    """Which tokens the rules of the grammar allow, as tensors on a device."""
    import torch

    from seqmusic.training.batches import GrammarMasks

    return GrammarMasks(
        torch.tensor(rules.sound_masks(max_voices), device=device),
        torch.tensor(rules.duration_masks(), device=device),
    )


def model_folder(model: Path | None) -> Path:
    """The folder of a model.

    Args:
        model: a folder, or the name of a model that comes with seqmusic, such as "chorales"; None
            stands for the default model.

    Raises:
        CheckpointError: there is no such model.
    """
    folder = model if model is not None else PRETRAINED / DEFAULT_MODEL
    if (folder / WEIGHTS_FILE).is_file():
        return folder
    shipped = PRETRAINED / folder.name
    if folder.parts == (folder.name,) and (shipped / WEIGHTS_FILE).is_file():
        return shipped
    if model is None:
        raise CheckpointError(
            "no trained model comes with this copy; train one with: seqmusic train --out runs/first"
        )
    return folder


def load_model(folder: Path) -> Transformer:
    """The trained model of a run, or one that comes with seqmusic, by its name.

    Raises:
        CheckpointError: the folder holds no whole model of this tokenizer.
    """
    from seqmusic.runs.checkpoint import load_weights

    folder = model_folder(folder)
    model = load_weights(folder, vocabulary_from_dict)
    model.judge = read_judge_weights(folder)
    return model


def load_array_model(folder: Path, compiled: bool | None = None) -> ArrayModel:
    """The same model as arrays, without torch: it only composes, and it loads faster.

    Args:
        folder: as for `load_model`.
        compiled: whether it is decoded by compiled code; None for yes where numba is installed.

    Raises:
        CheckpointError: as for `load_model`.
    """
    folder = model_folder(folder)
    settings, vocabulary, weights = read_weights(folder, vocabulary_from_dict)
    packed = pack_model(weights, settings, vocabulary)
    return replace(packed, compiled=compiled, judge=read_judge_weights(folder))

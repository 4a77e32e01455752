"""Trained models: what the tokens impose on them, which come with seqmusic, and how a folder becomes a model."""

from __future__ import annotations

from pathlib import Path

import torch

from seqmusic.errors import CheckpointError
from seqmusic.model.settings import Vocabulary
from seqmusic.model.transformer import Transformer
from seqmusic.tokens import rules
from seqmusic.tokens.context import SOUND_PITCH, context_columns, context_sizes
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, N_VOICE_NAMES, PITCH, VOICE, voice_column
from seqmusic.training.batches import Masks
from seqmusic.training.checkpoint import WEIGHTS, load_weights

PRETRAINED = Path(__file__).parent / "pretrained"
DEFAULT_MODEL = "chorales"
BENCHMARK_MODELS = (Path("jsb"), Path("jsb-2"), Path("jsb-3"))
MAX_VOICES = 4
TOKENS: dict[str, object] = {"grammar": 1, "max_voices": MAX_VOICES, "n_sounds": N_SOUNDS, "n_durations": N_DURATIONS}
_COLUMNS = context_columns(MAX_VOICES)
VOCABULARY = Vocabulary(
    n_sounds=N_SOUNDS,
    n_durations=N_DURATIONS,
    context_sizes=context_sizes(MAX_VOICES),
    first_pitch=PITCH,
    n_pitches=KEY - PITCH,
    pitch_columns=tuple(_COLUMNS.index(f"{n}_{v}") for n in ("sound", "ahead", "parallel") for v in range(MAX_VOICES)),
    pitch_shift=SOUND_PITCH,
    voice_column=_COLUMNS.index("voice"),
    voice_pitch_column=(0, *(voice_column(VOICE + index) % MAX_VOICES for index in range(N_VOICE_NAMES))),
    end_columns=tuple(
        (_COLUMNS.index(f"{n}_{v}"), shift) for n, shift in (("remaining", 0), ("until_ahead", 1)) for v in range(MAX_VOICES)
    ),
    position_column=_COLUMNS.index("position"),
)


def make_masks(device: torch.device) -> Masks:
    """The grammar's tables on a device."""
    return Masks(torch.tensor(rules.sound_masks(MAX_VOICES), device=device), torch.tensor(rules.duration_masks(), device=device))


def model_folder(model: Path | None) -> Path:
    """The folder of a model: one that was named, one that comes with seqmusic ("chorales", "jsb"), or, for None, the default.

    Raises:
        CheckpointError: there is no such model.
    """
    folder = model if model is not None else PRETRAINED / DEFAULT_MODEL
    if (folder / WEIGHTS).is_file():
        return folder
    shipped = PRETRAINED / folder.name
    if folder.parts == (folder.name,) and (shipped / WEIGHTS).is_file():
        return shipped
    if model is None:
        raise CheckpointError("no trained model comes with this copy; train one with: seqmusic train --out runs/first")
    return folder


def load_model(folder: Path) -> Transformer:
    """The trained model of a run, or one that comes with seqmusic by its name, ready to predict.

    Raises:
        CheckpointError: the folder holds no whole model of this tokenizer.
    """
    return load_weights(model_folder(folder), VOCABULARY, TOKENS)

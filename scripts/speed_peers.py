"""What our speed is measured against: other libraries, as one uses them without further thought.

GPT-2 of Hugging Face transformers, and the decoder of x-transformers with its cache; of tokens, MidiTok.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqmusic.errors import MissingExtraError
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.model.settings import ModelSettings
from seqmusic.score import Score


@dataclass(frozen=True, slots=True)
class PeerModel:
    """A language model of another library.

    Attributes:
        module: its parameters.
        generate: (N, n) ids that follow (N, T) ids, drawn at temperature 1, given also n.
        loss: mean negative log-likelihood of (N, T) ids of which (N, T) are there.
        n_ids: of its vocabulary.
    """

    module: nn.Module
    generate: Callable[[Tensor, int], Tensor]
    loss: Callable[[Tensor, Tensor], Any]
    n_ids: int


def make_peer(name: str, settings: ModelSettings, n_ids: int) -> PeerModel:
    """A rival with the width, layers, heads and context of `settings`, over so many ids.

    Raises:
        MissingExtraError: its library is not installed.
    """
    try:
        return PEERS[name](settings, n_ids)
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is not installed; install it with: pip install 'seqmusic[bench]' (in a clone: '.[bench]')"
        ) from error


def generate_tokens(peer: PeerModel, n_rows: int, n_prompt: int, n_new: int) -> int:
    """Tokens that a rival makes: `n_new` in each of `n_rows`, after a prompt."""
    peer.module.eval()
    return int(peer.generate(torch.randint(1, peer.n_ids, (n_rows, n_prompt)), n_new).numel())


def training_step(peer: PeerModel) -> Callable[[Sequence[NDArray[np.integer[Any]]]], int]:
    """A training step on sequences of ids, padded at their ends: what it returns is how many ids they have."""
    optimizer = torch.optim.AdamW(peer.module.train().parameters(), lr=1e-3, fused=True)

    def step(sequences: Sequence[NDArray[np.integer[Any]]]) -> int:
        lengths = [len(own) for own in sequences]
        ids, present = (
            torch.zeros((len(lengths), max(lengths)), dtype=torch.int64),
            torch.zeros((len(lengths), max(lengths))),
        )
        for row, own in enumerate(sequences):
            ids[row, : len(own)], present[row, : len(own)] = (
                torch.from_numpy(own.astype(np.int64)),
                1,
            )
        loss = peer.loss(ids, present)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(peer.module.parameters(), 1.0)
        optimizer.step()
        return sum(lengths)

    return step


def _gpt2(settings: ModelSettings, n_ids: int) -> PeerModel:
    from transformers import GPT2Config, GPT2LMHeadModel, logging

    logging.set_verbosity_error()
    config = GPT2Config(
        vocab_size=n_ids,
        n_positions=settings.context_length,
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        n_inner=settings.feedforward * settings.width,
        bos_token_id=1,
        eos_token_id=None,
        pad_token_id=0,
    )
    model: Any = GPT2LMHeadModel(config)

    def generate(ids: Tensor, n_new: int) -> Tensor:
        own: Tensor = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_new, do_sample=True, top_k=0
        )
        return own[:, ids.shape[1] :]

    def loss(ids: Tensor, present: Tensor) -> Tensor:
        own: Tensor = model(
            input_ids=ids, attention_mask=present, labels=ids.masked_fill(present == 0, -100)
        ).loss
        return own

    return PeerModel(model, generate, loss, n_ids)


def _x_transformer(settings: ModelSettings, n_ids: int) -> PeerModel:
    from x_transformers import AutoregressiveWrapper, Decoder, TransformerWrapper

    layers = Decoder(
        dim=settings.width,
        depth=settings.layers,
        heads=settings.heads,
        attn_dim_head=settings.width // settings.heads,
        ff_mult=settings.feedforward,
        rotary_pos_emb=True,
        attn_flash=True,
    )
    inner = TransformerWrapper(
        num_tokens=n_ids, max_seq_len=settings.context_length, attn_layers=layers
    )
    model: Any = AutoregressiveWrapper(inner, ignore_index=-100, pad_value=0)

    def loss(ids: Tensor, present: Tensor) -> Tensor:
        own: Tensor = model(ids.masked_fill(present == 0, -100))
        return own

    return PeerModel(
        model, lambda ids, n_new: model.generate(ids, n_new, cache_kv=True), loss, n_ids
    )


def remi(scores: Sequence[Score]) -> dict[str, Callable[[], object]]:
    """What encodes all scores with MidiTok's REMI, set as by default, and what decodes them; empty where it is not installed."""
    try:
        from miditok import REMI, TokenizerConfig
        from symusic import Score as MidiScore
    except ImportError:
        return {}
    tokenizer = REMI(TokenizerConfig())
    midi = [MidiScore.from_midi(midi_bytes(score)) for score in scores]
    tokens = [[list(voice.ids) for voice in tokenizer.encode(score)] for score in midi]
    return {
        "encode": lambda: [tokenizer.encode(score) for score in midi],
        "decode": lambda: [tokenizer.decode([list(voice) for voice in work]) for work in tokens],
    }


PEERS: dict[str, Callable[[ModelSettings, int], PeerModel]] = {
    "transformers": _gpt2,
    "x-transformers": _x_transformer,
}

"""Other libraries to compare the speed with, in their usual configuration.

They are GPT-2 of Hugging Face transformers, the decoder of x-transformers with its cache, and REMI
of MidiTok.
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
        module: the model.
        generate: draws (N, n) ids that follow (N, T) ids at temperature 1, given also n.
        loss: mean negative log-likelihood of (N, T) ids; the second argument is 1 for those that
            are no padding.
        n_ids: size of its vocabulary.
    """

    module: nn.Module
    generate: Callable[[Tensor, int], Tensor]
    loss: Callable[[Tensor, Tensor], Any]
    n_ids: int


def make_peer(name: str, settings: ModelSettings, n_ids: int) -> PeerModel:
    """A peer with the width, layers, heads and context of `settings`, and `n_ids` ids.

    Raises:
        MissingExtraError: its library is not installed.
    """
    try:
        return PEERS[name](settings, n_ids)
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is not installed; install it with: pip install 'seqmusic[bench]' "
            "(in a clone: '.[bench]')"
        ) from error


def generate_tokens(peer: PeerModel, n_rows: int, n_prompt: int, n_new: int) -> int:
    """Generate `n_new` tokens in each of `n_rows` after a prompt; returns their number."""
    peer.module.eval()
    return int(peer.generate(torch.randint(1, peer.n_ids, (n_rows, n_prompt)), n_new).numel())


def training_step(peer: PeerModel) -> Callable[[Sequence[NDArray[np.integer[Any]]]], int]:
    """A training step on sequences of ids, padded at their ends; it returns the number of ids."""
    optimizer = torch.optim.AdamW(peer.module.train().parameters(), lr=1e-3, fused=True)

    def step(sequences: Sequence[NDArray[np.integer[Any]]]) -> int:
        lengths = [len(sequence) for sequence in sequences]
        shape = len(lengths), max(lengths)
        ids, present = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.from_numpy(sequence.astype(np.int64))
            present[row, : len(sequence)] = 1
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
        generated: Tensor = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_new, do_sample=True, top_k=0
        )
        return generated[:, ids.shape[1] :]

    def loss(ids: Tensor, present: Tensor) -> Tensor:
        labels = ids.masked_fill(present == 0, -100)
        mean: Tensor = model(input_ids=ids, attention_mask=present, labels=labels).loss
        return mean

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
        mean: Tensor = model(ids.masked_fill(present == 0, -100))
        return mean

    return PeerModel(
        model, lambda ids, n_new: model.generate(ids, n_new, cache_kv=True), loss, n_ids
    )


def remi(scores: Sequence[Score]) -> dict[str, Callable[[], object]]:
    """Functions that encode and decode all scores with MidiTok's REMI in its default configuration.

    Empty if MidiTok is not installed.
    """
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

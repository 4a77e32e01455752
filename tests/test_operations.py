"""What is computed in a way of our own in training: the same numbers, and the same gradients, as the plain way gives."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seqmusic.model.attention import packed_attention
from seqmusic.model.operations import dropout, summed_rows, summed_windows
from seqmusic.model.output_layer import AnchoredLogits


def value_and_gradients(operation: Callable[..., Tensor], *given: Tensor) -> list[Tensor]:
    """What is made of the given, and the gradients of a weighted sum of it."""
    leaves = [own.clone().requires_grad_() for own in given]
    made_here = operation(*leaves)
    weights = torch.randn(made_here.shape, generator=torch.Generator().manual_seed(1))
    return [made_here, *torch.autograd.grad((made_here * weights).sum(), leaves)]


def assert_all_close(one: list[Tensor], other: list[Tensor]) -> None:
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [(3, 5, 1), (96, 145, 7), (288, 150), (513, 2)])
def test_sequences_one_after_the_other_do_not_hear_each_other(lengths: tuple[int, ...]) -> None:
    """Sequences of one block, of several, and those too long to be kept."""

    def apart(qkv: Tensor) -> Tensor:
        parts = [
            F.scaled_dot_product_attention(*own.permute(1, 2, 0, 3), is_causal=True, scale=1.0)
            for own in qkv.split(lengths)
        ]
        return torch.cat(parts, dim=1).transpose(0, 1)

    qkv = torch.randn(sum(lengths), 3, 2, 7, generator=torch.Generator().manual_seed(0))
    assert_all_close(
        value_and_gradients(lambda own: packed_attention(own, lengths), qkv),
        value_and_gradients(apart, qkv),
    )


def test_attention_goes_on_where_scores_are_large() -> None:
    qkv = torch.full((5, 3, 1, 2), 60.0)
    assert torch.equal(packed_attention(qkv, (5,)), qkv[:, 2])


def test_anchors_that_are_not_there_say_nothing() -> None:
    """The plain way: what each anchor says of each row, times whether it is there, added place by place."""
    chance = torch.Generator().manual_seed(0)
    anchors = torch.randint(-11, 12, (13, 3), generator=chance)
    is_present = torch.rand(13, 3, generator=chance) < torch.tensor(
        [0.6, 0.0, 1.0]
    )  # one is never there
    layer = AnchoredLogits(5, 3, -2, 4, 11)

    def plain(hidden: Tensor) -> Tensor:
        said, logits = layer.project(hidden).view(13, 3, 7), torch.zeros(13, 40)
        for row, anchor in is_present.nonzero().tolist():
            place = int(anchors[row, anchor]) - 2 + 14
            logits = (
                logits
                + F.pad(said[row, anchor], (place, 33 - place)) * (torch.arange(13) == row)[:, None]
            )
        return logits[:, 14:25]

    hidden = torch.randn(13, 5, generator=chance)
    found = []
    for way in (lambda own: layer(own, anchors, is_present), plain):
        layer.zero_grad()
        operation = value_and_gradients(way, hidden)
        way(hidden).square().sum().backward()
        found.append(
            [
                *operation,
                *(
                    parameter.grad.clone()
                    for parameter in layer.parameters()
                    if parameter.grad is not None
                ),
            ]
        )
    assert len(found[0]) == 4
    assert_all_close(*found)


def test_rows_are_summed_and_their_gradients_too() -> None:
    chance = torch.Generator().manual_seed(0)
    table, rows = (
        torch.randn(11, 3, generator=chance),
        torch.randint(0, 2, (7, 5), generator=chance) + 2 * torch.arange(5),
    )
    assert_all_close(
        value_and_gradients(lambda own: summed_rows(own, rows), table),
        value_and_gradients(lambda own: own[rows].sum(1), table),
    )


def test_windows_are_summed_and_their_gradients_too() -> None:
    """Two windows of three that share their middle: 0, 1, 2 and 1, 2, 3."""
    windows = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    own = windows.clone().requires_grad_()
    summed = summed_windows(own, torch.tensor([0, 1]), 5)
    assert summed.tolist() == [1, 12, 23, 30, 0]
    summed.backward(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert own.grad is not None
    assert own.grad.tolist() == [[1, 2, 3], [2, 3, 4]]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_dropout_hides_its_share_and_keeps_the_mean(rate: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(301, 203, 3)
    dropped = dropout(x, rate, True)
    assert (dropped == 0).double().mean().item() == pytest.approx(rate, abs=0.005)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - rate)], rel=1e-4)
    for lane in range(4):  # four numbers share a draw
        assert (dropped.flatten()[lane::4] == 0).double().mean().item() == pytest.approx(
            rate, abs=0.01
        )
    torch.manual_seed(0)
    assert torch.equal(dropout(x, rate, True), dropped)
    assert dropout(x, rate, False) is x or torch.equal(dropout(x, rate, False), x)

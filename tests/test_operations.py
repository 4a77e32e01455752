"""Training operations of our own: the values and gradients of the plain ones."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seqmusic.model.attention import packed_attention
from seqmusic.model.operations import dropout, summed_rows, summed_windows
from seqmusic.model.output_layer import AnchoredLogits


def value_and_gradients(operation: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """The result of an operation, and the gradients of a weighted sum of it."""
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    result = operation(*leaves)
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(1))
    return [result, *torch.autograd.grad((result * weights).sum(), leaves)]


def assert_all_close(one: list[Tensor], other: list[Tensor]) -> None:
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [(3, 5, 1), (96, 145, 7), (288, 150), (513, 2)])
def test_packed_attention_equals_attention_of_each_sequence(lengths: tuple[int, ...]) -> None:
    """Sequences of one block, of several, and those too long for their weights to be stored."""

    def separately(qkv: Tensor) -> Tensor:
        parts = [
            F.scaled_dot_product_attention(*part.permute(1, 2, 0, 3), is_causal=True, scale=1.0)
            for part in qkv.split(lengths)
        ]
        return torch.cat(parts, dim=1).transpose(0, 1)

    qkv = torch.randn(sum(lengths), 3, 2, 7, generator=torch.Generator().manual_seed(0))
    assert_all_close(
        value_and_gradients(lambda packed: packed_attention(packed, lengths), qkv),
        value_and_gradients(separately, qkv),
    )


def test_attention_stays_finite_where_scores_are_large() -> None:
    qkv = torch.full((5, 3, 1, 2), 60.0)
    assert torch.equal(packed_attention(qkv, (5,)), qkv[:, 2])


def test_anchored_logits_are_those_added_one_by_one() -> None:
    """The plain way: the outputs of each anchor that is present, added row by row."""
    rng = torch.Generator().manual_seed(0)
    anchors = torch.randint(-11, 12, (13, 3), generator=rng)
    # the second anchor is never present, the third one always
    is_present = torch.rand(13, 3, generator=rng) < torch.tensor([0.6, 0.0, 1.0])
    layer = AnchoredLogits(5, 3, -2, 4, 11)

    def one_by_one(hidden: Tensor) -> Tensor:
        outputs, logits = layer.project(hidden).view(13, 3, 7), torch.zeros(13, 40)
        for row, anchor in is_present.nonzero().tolist():
            start = int(anchors[row, anchor]) - 2 + 14
            added = F.pad(outputs[row, anchor], (start, 33 - start))
            logits = logits + added * (torch.arange(13) == row)[:, None]
        return logits[:, 14:25]

    hidden = torch.randn(13, 5, generator=rng)
    results = []
    for operation in (lambda rows: layer(rows, anchors, is_present), one_by_one):
        layer.zero_grad()
        result = value_and_gradients(operation, hidden)
        operation(hidden).square().sum().backward()
        gradients = [parameter.grad for parameter in layer.parameters()]
        results.append([*result, *(grad.clone() for grad in gradients if grad is not None)])
    assert len(results[0]) == 4
    assert_all_close(*results)


def test_rows_and_their_gradients_are_summed() -> None:
    rng = torch.Generator().manual_seed(0)
    table = torch.randn(11, 3, generator=rng)
    rows = torch.randint(0, 2, (7, 5), generator=rng) + 2 * torch.arange(5)
    assert_all_close(
        value_and_gradients(lambda weights: summed_rows(weights, rows), table),
        value_and_gradients(lambda weights: weights[rows].sum(1), table),
    )


def test_windows_and_their_gradients_are_summed() -> None:
    """Two windows of three that share their middle: 0, 1, 2 and 1, 2, 3."""
    windows = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]).requires_grad_()
    summed = summed_windows(windows, torch.tensor([0, 1]), 5)
    assert summed.tolist() == [1, 12, 23, 30, 0]
    summed.backward(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert windows.grad is not None
    assert windows.grad.tolist() == [[1, 2, 3], [2, 3, 4]]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_dropout_zeroes_its_share_and_keeps_the_mean(rate: float) -> None:
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

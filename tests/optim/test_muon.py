"""Muon: orthogonal steps for matrices, AdamW's for the rest, and a state that comes back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surefoot.optim.muon import Muon, orthogonalise
from surefoot.types.errors import UsageError


def moved(weight: torch.Tensor, gradient: torch.Tensor, **options: float) -> torch.Tensor:
    """What one step of lr 1 takes off a weight."""
    parameter = nn.Parameter(weight.clone())
    parameter.grad = gradient
    Muon([parameter], **{"lr": 1.0, "weight_decay": 0.0, "momentum": 0.0, **options}).step()
    return weight - parameter.detach()


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=40)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), scale=st.sampled_from([1e-6, 1.0, 1e6]), seed=st.integers(0, 99))
def test_singular_values_come_near_1_whatever_shape_and_scale(rows, columns, scale, seed):
    matrix = scale * random(rows, columns, seed=seed)
    before, after = torch.linalg.svdvals(matrix), torch.linalg.svdvals(orthogonalise(matrix[None])[0])
    lifted = after[: int((before > 0.01 * matrix.norm()).sum())]
    assert ((lifted > 0.65) & (lifted < 1.25)).all()


def test_the_step_has_the_singular_vectors_of_the_gradient():
    """On a diagonal gradient the orthogonal factor is the signs of the diagonal."""
    step = orthogonalise(torch.diag(torch.tensor([3.0, -1.0, 0.5]))[None])[0]
    assert torch.allclose(step, torch.diag(torch.tensor([1.0, -1.0, 1.0])), atol=0.35)
    assert (step - torch.diag(step.diagonal())).abs().max() < 1e-6


def test_matrices_together_are_moved_as_each_alone():
    matrices = random(5, 8, 12)
    alone = torch.cat([orthogonalise(one[None]) for one in matrices])
    assert torch.allclose(orthogonalise(matrices), alone, atol=1e-5)


def test_a_matrix_without_a_gradient_in_it_stays():
    assert torch.equal(orthogonalise(torch.zeros(1, 3, 4)), torch.zeros(1, 3, 4))


@pytest.mark.parametrize("shape", [(16, 16), (8, 64), (64, 8), (8, 4, 3, 3), (200, 200)])
def test_a_step_has_a_root_mean_square_of_a_fifth_of_lr_whatever_the_shape(shape):
    """Of a matrix with R <= C and singular values 1 it is (R / (R·C))**0.5 · 0.2 · C**0.5 = 0.2."""
    step = moved(torch.zeros(shape), random(*shape), lr=0.1)
    assert step.square().mean().sqrt().item() == pytest.approx(0.1 * 0.2, rel=0.2)


def test_momentum_looks_ahead():
    """After one step along a matrix and one without a gradient, the second still goes along it: the direction alone counts."""
    weight, gradient = nn.Parameter(torch.zeros(4, 4)), random(4, 4)
    optimizer = Muon([weight], lr=1.0, weight_decay=0.0, momentum=0.9)
    weight.grad = gradient
    optimizer.step()
    first = weight.detach().clone()
    weight.grad = torch.zeros(4, 4)
    optimizer.step()
    assert torch.allclose(weight.detach() - first, first, atol=1e-5)
    assert torch.allclose(optimizer.state[weight]["momentum"], 0.9 * gradient)


def test_decay_is_decoupled():
    assert torch.allclose(moved(torch.ones(3, 3), torch.zeros(3, 3), lr=0.1, weight_decay=0.5), torch.full((3, 3), 0.05))


def test_what_is_no_matrix_is_moved_as_by_adamw():
    vector, table = random(5), random(3, 4, seed=1)
    ours, theirs = ([nn.Parameter(vector.clone()), nn.Parameter(table.clone())] for _ in range(2))
    options = {"lr": 0.01, "weight_decay": 0.1}
    one = Muon([{"params": ours[:1]}, {"params": ours[1:], "matrix": False}], momentum=0.8, **options)
    other = torch.optim.AdamW(theirs, betas=(0.8, 0.999), **options)
    for step in range(5):
        for optimizer, weights in ((one, ours), (other, theirs)):
            for number, weight in enumerate(weights):
                weight.grad = random(*weight.shape, seed=10 * step + number)
            optimizer.step()
    for mine, due in zip(ours, theirs):
        assert torch.allclose(mine, due, atol=1e-6)


def test_a_frozen_weight_stays_and_keeps_no_state():
    weights = [nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))]
    optimizer = Muon(weights, lr=0.1, weight_decay=0.1, momentum=0.9)
    optimizer.step()
    assert all(torch.equal(weight, torch.ones_like(weight)) for weight in weights)
    assert not optimizer.state


def test_a_state_that_was_read_back_lies_where_the_weights_do():
    """A checkpoint is read on the CPU; a fused step takes its count of steps on the weights' device only."""
    weight, bias = (nn.Parameter(torch.empty(shape, device="meta")) for shape in ((2, 2), (2,)))
    optimizer = Muon([weight, bias], lr=0.1, weight_decay=0.0, momentum=0.9)
    saved = {0: {"momentum": torch.ones(2, 2)}, 1: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}}
    optimizer.load_state_dict({"state": saved, "param_groups": optimizer.state_dict()["param_groups"]})
    assert {name: value.device.type for state in optimizer.state.values() for name, value in state.items()} == dict.fromkeys(
        ("momentum", "step", "exp_avg", "exp_avg_sq"), "meta"
    )


@pytest.mark.parametrize(("name", "value"), [("lr", -0.1), ("weight_decay", -1.0), ("momentum", 1.0), ("momentum", -0.1)])
def test_values_out_of_range_are_refused(name, value):
    with pytest.raises(UsageError, match=f"muon can't take {name} = {value:g}") as caught:
        Muon([nn.Parameter(torch.ones(2, 2))], **{"lr": 0.1, "weight_decay": 0.0, "momentum": 0.9, name: value})
    assert (caught.value.where, bool(caught.value.next)) == (f"train.{name}", True)

"""The default net for tables."""

from __future__ import annotations

import io
import math

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surefoot.models.tabular import TabularNet

CODES = (4, 90)


def seeded(*args, **options) -> TabularNet:
    torch.manual_seed(0)
    return TabularNet(*args, **options)


def fields(num: int, numeric: int = 3, cardinalities: tuple[int, ...] = CODES) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    numbers = (torch.randn(num, numeric, generator=generator),) if numeric else ()
    codes = (torch.stack([torch.randint(0, most, (num,), generator=generator) for most in cardinalities], 1),) if cardinalities else ()
    return numbers + codes


@pytest.mark.parametrize(("numeric", "cardinalities"), [(3, CODES), (3, ()), (0, CODES), (3000, ())])
def test_it_takes_numbers_categories_or_both(numeric, cardinalities):
    net = seeded(numeric, cardinalities, 5).eval()
    assert net(*fields(6, numeric, cardinalities)).shape == (6, 5)


@pytest.mark.parametrize(("numeric", "cardinalities"), [(3, CODES), (3, ()), (0, CODES)])
def test_every_parameter_learns(numeric, cardinalities):
    net = seeded(numeric, cardinalities, 2, depth=1)
    net(*fields(64, numeric, cardinalities)).pow(2).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


def test_width_and_depth_are_what_was_asked_for():
    net = seeded(3, CODES, 2, width=40, depth=4, dropout=0.2)
    assert [module.out_features for module in net.modules() if isinstance(module, nn.Linear)] == [40] * 4 + [2]
    assert {module.p for module in net.modules() if isinstance(module, nn.Dropout)} == {0.2}


def test_without_hidden_layers_the_last_one_sees_the_embeddings():
    assert seeded(3, CODES, 2, depth=0)(*fields(4)).shape == (4, 2)


def test_categories_get_vectors_by_their_number_of_codes():
    assert [embedding.embedding_dim for embedding in seeded(0, (2, 4, 9, 1000), 2).columns.categories] == [4, 4, 6, 16]


def test_the_code_of_the_unseen_starts_amid_all_others():
    (embedding,) = seeded(0, (50,), 2).columns.categories
    assert not embedding.weight[0].any()
    assert embedding.weight[1:].std().item() == pytest.approx(0.3, rel=0.1)


def test_very_wide_tables_get_smaller_embeddings():
    assert seeded(20, (), 2, width=8).hidden[0].in_features == 20 * 17
    assert seeded(500, (), 2, width=8).hidden[0].in_features == 500 * 5
    assert seeded(3000, (), 2, width=8).hidden[0].in_features == 3000


def test_the_loss_at_the_start_is_ln_k():
    loss = F.cross_entropy(seeded(3, CODES, 7)(*fields(512)), torch.arange(512) % 7)
    assert loss.item() == pytest.approx(math.log(7), abs=0.02)


def test_items_of_a_batch_do_not_leak_into_each_other_in_eval_mode():
    net = seeded(3, CODES, 2).eval()
    numeric, codes = fields(6)
    alone = torch.cat([net(numeric[row : row + 1], codes[row : row + 1]) for row in range(6)])
    torch.testing.assert_close(net(numeric, codes), alone)


def test_it_can_be_differentiated_in_double_precision():
    net = seeded(3, CODES, 2, width=8).double().eval()
    numeric, codes = fields(3)
    assert torch.autograd.gradcheck(lambda numbers: net(numbers, codes), (numeric.double().requires_grad_(),))


def test_a_wave_that_a_plain_net_misses_is_learned():
    """The reason for the embeddings: R2 of sin(6x), with 150 steps each."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(1024, 1, generator=generator)
    y = torch.sin(6 * x)
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    left = []
    for net in (seeded(1, (), 1, width=64, depth=2, dropout=0.0), plain):
        optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
        for step in range(150):
            rows = torch.arange(step * 128, step * 128 + 128) % 1024
            optimizer.zero_grad()
            F.mse_loss(net(x[rows]), y[rows]).backward()
            optimizer.step()
        left.append((F.mse_loss(net(x), y) / y.var()).item())
    ours, theirs = left
    assert ours < 0.05
    assert theirs > 5 * ours


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_onnx_graph_takes_any_number_of_rows_and_agrees():
    net = seeded(3, CODES, 2).eval()
    batch = torch.export.Dim("batch")
    traced = torch.export.export(net, fields(4), dynamic_shapes=(({0: batch}, {0: batch}),))
    program = torch.onnx.export(traced, dynamo=True, verbose=False, input_names=["numeric", "category"])
    file = io.BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue())
    for num in (1, 9):
        numeric, codes = fields(num)
        (outputs,) = session.run(None, {"numeric": numeric.numpy(), "category": codes.numpy()})
        np.testing.assert_allclose(outputs, net(numeric, codes).detach().numpy(), atol=1e-5)

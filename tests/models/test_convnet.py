"""The net a notation stands for: the same sums as the notation's, a theory-true start, and what export and checks need of it."""

from __future__ import annotations

import io
import math

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from surefoot.models.convnet import ConvNet
from surefoot.models.cost import count_flops
from surefoot.models.notation import describe
from surefoot.types.errors import ConfigError

EVERYTHING = (
    "CONV5-6/2 -> BN -> RELU -> CONV3-8p0 -> GELU -> POOL3/2p1 -> BN -> CONV2-4 -> SILU -> AVGPOOL2 -> DROP -> ELU -> POOL? -> GMP "
    "-> FC7 -> BN -> TANH -> FC -> LEAKY -> DROP0.1 -> FC5 -> SIGMOID -> FC"
)
NETS = [
    (EVERYTHING, (3, 33, 29)),
    ("", (1, 8, 8)),
    ("", (3, 70, 66)),
    ("FC", (2, 3, 4)),
    ("BN -> [FC -> RELU]*2 -> FC", (14,)),
    ("CONV -> GAP -> FC", (1, 5, 5)),
]


def seeded(*args, **options) -> ConvNet:
    torch.manual_seed(0)
    return ConvNet(*args, **options)


@pytest.mark.parametrize(("layers", "shape"), NETS)
def test_parameters_flops_and_volumes_are_those_of_the_notation(layers, shape):
    net = seeded(shape, 5, layers)
    rows = describe(net.layers, shape, 5)
    seen = []
    for module in net.body:
        if not isinstance(module, nn.Flatten):
            module.register_forward_hook(lambda _, __, out: seen.append((*out.shape[1:], 1, 1)[:3]))
    net.eval()(torch.randn(2, *shape))
    assert seen == [row.volume for row in rows[1:]]
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in net.parameters())
    assert sum(row.flops for row in rows) == count_flops(net, (torch.randn(1, *shape),))


layer = st.sampled_from(["CONV", "CONV5-3/2", "CONV2-4p0", "POOL?", "AVGPOOL3/2p1", "BN", "RELU", "DROP", "GAP", "POOL3/2?"])


@given(st.lists(layer, max_size=7), st.sampled_from([(1, 9, 9), (3, 12, 7)]))
@settings(max_examples=30, deadline=None)
def test_any_net_that_has_room_has_the_parameters_the_notation_says(parts, shape):
    text = " -> ".join([*parts, "FC -> BN -> RELU -> FC"])
    try:
        rows = describe(text, shape, 3, width=4)
    except ConfigError:
        return
    net = ConvNet(shape, 3, text, width=4)
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in net.parameters())
    assert net.eval()(torch.randn(2, *shape)).shape == (2, 3)


def test_the_resolved_notation_builds_the_same_net_again():
    net = seeded((3, 16, 16), 4, "[[CONV -> BN -> RELU]*2 -> POOL?]*6 -> FC", width=8, dropout=0.2)
    again = seeded((3, 16, 16), 4, net.layers)
    assert again.layers == net.layers
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True))


@pytest.mark.parametrize("layers", ["", "CONV -> RELU -> FC"])
def test_dropout_stands_before_the_last_layer_whoever_wrote_the_layers(layers):
    net = seeded((1, 8, 8), 3, layers, dropout=0.25)
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.25]
    assert net.layers.endswith("-> DROP0.25 -> FC3")


@pytest.mark.parametrize("layers", ["", "[CONV -> RELU]*4 -> FC"])
def test_the_loss_at_the_start_is_ln_k(layers):
    net = seeded((3, 32, 32), 10, layers, width=16)
    loss = F.cross_entropy(net(torch.randn(64, 3, 32, 32)), torch.arange(64) % 10)
    assert loss.item() == pytest.approx(math.log(10), abs=0.02)
    assert not net.final.bias.any()
    assert net.final.weight.std() > 0


def test_signals_keep_their_size_through_many_rectified_layers():
    net = seeded((3, 16, 16), 10, "[CONV3-64 -> RELU]*12 -> FC")
    signal = net.body[:-2](torch.randn(8, 3, 16, 16))
    assert 0.3 < signal.pow(2).mean().sqrt() < 3


def test_before_tanh_the_weights_start_as_glorot_says():
    net = seeded((200,), 2, "FC100 -> TANH -> FC")
    assert net.body[0].weight.std().item() == pytest.approx(math.sqrt(2 / 300), rel=0.05)


def test_final_is_the_last_linear_layer():
    net = seeded((1, 8, 8), 7)
    assert isinstance(net.final, nn.Linear)
    assert net.final.out_features == 7


def test_items_of_a_batch_do_not_leak_into_each_other_in_eval_mode():
    net = seeded((1, 8, 8), 3, dropout=0.5).eval()
    inputs = torch.randn(6, 1, 8, 8, requires_grad=True)
    net(inputs)[2].sum().backward()
    assert inputs.grad is not None
    assert inputs.grad[2].any()
    assert not inputs.grad[[0, 1, 3, 4, 5]].any()


def test_channels_last_changes_nothing_but_the_order_in_memory():
    net = seeded((3, 16, 16), 4).eval()
    inputs = torch.randn(4, 3, 16, 16)
    expected = net(inputs)
    other = net.to(memory_format=torch.channels_last)(inputs.to(memory_format=torch.channels_last))
    torch.testing.assert_close(other, expected, atol=1e-5, rtol=1e-4)


def test_it_can_be_differentiated_in_double_precision():
    net = seeded((1, 6, 6), 2, "CONV3-2 -> BN -> TANH -> AVGPOOL -> GMP -> FC").double().eval()
    assert torch.autograd.gradcheck(net, (torch.randn(2, 1, 6, 6, dtype=torch.float64, requires_grad=True),))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_onnx_graph_takes_any_number_of_items_and_agrees():
    net = seeded((3, 33, 29), 5, EVERYTHING).eval()
    file = io.BytesIO()
    program = torch.onnx.export(net, (torch.randn(2, 3, 33, 29),), dynamo=True, verbose=False, dynamic_shapes=({0: torch.export.Dim("batch")},))
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue())
    for num in (1, 7):
        inputs = torch.randn(num, 3, 33, 29)
        (outputs,) = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})
        np.testing.assert_allclose(outputs, net(inputs).detach().numpy(), atol=1e-5)


def test_a_layer_without_room_is_refused_before_anything_is_built():
    with pytest.raises(ConfigError, match=r"MAXPOOL2 .* leaves nothing"):
        ConvNet((1, 4, 4), 2, "POOL*3 -> FC")


def test_the_default_reads_handwritten_digits():
    x, y = load_digits(return_X_y=True)
    inputs, targets = torch.tensor(x / 16 - 0.5, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(y)
    net = seeded((1, 8, 8), 10, width=16, depth=1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(4):
        for rows in torch.randperm(1200).split(60):
            optimizer.zero_grad()
            F.cross_entropy(net(inputs[rows]), targets[rows]).backward()
            optimizer.step()
    accuracy = (net.eval()(inputs[1200:]).argmax(1) == targets[1200:]).float().mean().item()
    assert accuracy > 0.93

"""A trained net becomes a graph that says the same, for any number of items."""

import warnings

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from surefoot.exporting import bundle, predictor
from surefoot.exporting.onnx import export_onnx
from surefoot.exporting.parity import compare
from surefoot.exporting.session import Session
from surefoot.models.network import Deployed, Network
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import SurefootError

from . import samples

IMAGE = (FieldSpec(name="image", shape=(1, 8, 8), dtype="uint8"),)
TABLE = (FieldSpec(name="numeric", shape=(3,), dtype="float32"), FieldSpec(name="category", shape=(2,), dtype="int32", cardinalities=(4, 5)))


class Scale(nn.Module):
    def forward(self, image):
        return (image.float() / 255 - 0.5,)


class Impute(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([1.0, -2.0, 0.5]))

    def forward(self, numeric, category):
        is_missing = torch.isnan(numeric)
        return torch.cat([torch.where(is_missing, self.mean, numeric), is_missing.float()], 1), category


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(size, 3) for size in (4, 5)])
        self.last = nn.Linear(12, 1)

    def forward(self, numeric, category):
        return self.last(torch.cat([numeric, *(table(category[:, at].long()) for at, table in enumerate(self.tables))], 1))


class Branch(nn.Module):
    def forward(self, image):
        return image.flatten(1)[:, :3] if image.sum() > 0 else image.flatten(1)[:, 3:6]


def make_image_net():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3))
    body(torch.randn(16, 1, 8, 8))  # moves the statistics of the batch norm
    return Deployed(Network(Scale(), body), "softmax", temperature=1.4)


@pytest.fixture(scope="module")
def image_net():
    return make_image_net().train()


@pytest.fixture(scope="module")
def image_graph(image_net):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        graph = export_onnx(image_net, IMAGE)
    assert not seen
    assert image_net.training
    assert image_net.network.body[3].training
    return graph


@pytest.fixture(scope="module")
def table_net():
    torch.manual_seed(1)
    return Deployed(Network(Impute(), Embed()), "sigmoid", temperature=0.7).eval()


@pytest.fixture(scope="module")
def table_graph(table_net):
    return export_onnx(table_net, TABLE)


def test_pictures_give_the_same_logits_and_probs_in_any_batch(image_net, image_graph):
    session = Session(image_graph, 1)
    assert session.names == ("image",)
    for rows in (1, 2, 37, 1100):
        pixels = np.random.default_rng(rows).integers(0, 256, (rows, 1, 8, 8), dtype=np.uint8)
        with torch.no_grad():
            expected = [values.numpy() for values in make_image_net().eval()(torch.from_numpy(pixels))]
        logits, outputs = session.run((pixels,))
        assert compare(expected[0], logits, True).ok
        np.testing.assert_allclose(outputs, expected[1], atol=1e-6)


def test_a_table_with_missing_values_gives_the_same_logits_and_two_probs(table_net, table_graph):
    rng = np.random.default_rng(0)
    numeric, category = rng.normal(size=(200, 3)).astype(np.float32), rng.integers(0, 4, (200, 2)).astype(np.int32)
    numeric[rng.random(numeric.shape) < 0.3] = np.nan
    with torch.no_grad():
        expected = [values.numpy() for values in table_net(torch.from_numpy(numeric), torch.from_numpy(category))]
    logits, outputs = Session(table_graph, 1).run((numeric, category))
    assert compare(expected[0], logits, True).ok
    np.testing.assert_allclose(outputs, expected[1], atol=1e-6)
    np.testing.assert_allclose(outputs.sum(1), 1, atol=1e-6)


def test_the_graph_is_whole_by_itself_and_names_what_goes_in_and_out(table_graph):
    model = onnx.load_from_string(table_graph)
    assert [entry.name for entry in model.graph.input] == ["numeric", "category"]
    assert [entry.name for entry in model.graph.output] == ["logits", "outputs"]
    assert {entry.type.tensor_type.shape.dim[0].dim_param for entry in (*model.graph.input, *model.graph.output)} == {"batch"}
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_the_bundle_predicts_what_the_weights_in_it_predict(image_net, image_graph, tmp_path):
    problem = samples.make_problem(kind="image", task="multiclass", target=("label",), classes=("a", "b", "c"), num_outputs=3)
    recipe = b'{"kind": "image", "height": 8, "width": 8, "channels": 1}'
    contents = {bundle.WEIGHTS: save(image_net.state_dict()), bundle.GRAPH: image_graph, bundle.RECIPE: recipe}
    bundle.write_bundle(tmp_path, contents, bundle.describe(problem, kind="net", fields=IMAGE, inputs=("image",)))
    pixels = np.random.default_rng(3).integers(0, 256, (20, 1, 8, 8), dtype=np.uint8)
    again = make_image_net()
    again.load_state_dict(load((tmp_path / bundle.WEIGHTS).read_bytes()))
    with torch.no_grad():
        logits, outputs = again.eval()(torch.from_numpy(pixels))
    found = predictor.load(tmp_path, threads=1)
    assert compare(logits.numpy(), found.logits((pixels,)), True).ok
    np.testing.assert_allclose(found.predict((pixels,)), outputs.numpy(), atol=1e-6)


def test_a_net_that_has_no_graph_is_unsupported_and_its_line_is_named(capfd):
    with pytest.raises(SurefootError, match=r"export\.unsupported: the net can't be turned into an ONNX graph") as caught:
        export_onnx(Deployed(Network(Scale(), Branch()), "softmax"), IMAGE)
    assert "test_onnx.py" in caught.value.where
    assert "image.sum() > 0" in caught.value.where
    assert capfd.readouterr() == ("", "")

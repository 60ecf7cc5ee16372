"""The table of errors that people edit."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.analysis.errors import write_table
from surefoot.steps import s10_errors
from surefoot.types import ErrorRow, Predictions


@pytest.mark.parametrize("has_confidence", [True, False])
def test_amounts_have_no_column_of_confidence(has_confidence):
    row = ErrorRow(id="a1", place="bikes.csv:2", target="12", pred="19", confidence=0.5, loss=1.0, tags=("night", "mine"), note="rain")
    table = list(csv.DictReader(io.StringIO(write_table([row], ["blurry", "mine"], has_confidence=has_confidence).decode())))
    sureness = {"confidence": "0.5000"} if has_confidence else {}
    assert table == [{"id": "a1", "place": "bikes.csv:2", "target": "12", "pred": "19", **sureness, "blurry": "", "mine": "x", "tags": "night", "note": "rain"}]


def test_texts_have_the_last_column():
    rows = [
        ErrorRow(id="a1", place="bad/1.txt", target="bad", pred="good", tags=("mine",), text="Lovely, not"),
        ErrorRow(id="b", place="p", target="x", pred="y"),
    ]
    head, first, second = csv.reader(io.StringIO(write_table(rows, ["mine"], has_confidence=False).decode()))
    assert (head[-1], first[-1], second[-1]) == ("text", "Lovely, not", "")


@pytest.mark.parametrize("winner", ["net", "linear"])
def test_a_picture_whose_amount_is_predicted_is_painted_by_what_raised_it(monkeypatch, winner):
    """The amount is the mean of the left half: covering that is what lowers it, and a net's gradient is asked of the amount itself."""
    images, kept = np.zeros((2, 1, 8, 8), np.uint8), {}
    images[:, :, :, :4] = 200
    field, pack = SimpleNamespace(name="image"), SimpleNamespace(gather=lambda rows: (images[rows],))
    problem = SimpleNamespace(classes=(), task="regression")
    desk = SimpleNamespace(problem=problem, examples=SimpleNamespace(fields=(field,), pack=pack))
    ctx = SimpleNamespace(store=SimpleNamespace(put_arrays=lambda arrays: kept.update(arrays) or "ref"))
    val = Predictions(np.array(["a", "b"]), np.full((2, 1), 200.0), np.zeros((2, 1)))
    bench = s10_errors.Bench(ctx, desk, None, None, SimpleNamespace(winner=winner), val, {"a": 0, "b": 1}, {})
    asked = []
    monkeypatch.setattr(s10_errors, "tuned_network", lambda *_: None)
    monkeypatch.setattr(s10_errors, "weigh_pixels", lambda _, shown, said: asked.append(said.tolist()) or (shown[:, 0] > 0).astype(float))
    monkeypatch.setattr(s10_errors, "make_answer", lambda *_: lambda fields: fields[0][..., :4].mean((1, 2, 3))[:, None])
    assert s10_errors._weigh(bench, ["a", "b"]) == "ref"
    red, _, blue = kept["a"].astype(int).mean(0).T[:3]
    assert (red - blue)[:3].min() > (red - blue)[-1]
    assert asked == ([[1, 1]] if winner == "net" else [])
    problem.task = "vector_regression"
    assert s10_errors._weigh(bench, ["a", "b"]) == ""

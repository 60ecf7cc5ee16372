"""The table of errors that people edit."""

import csv
import io

import pytest

from surefoot.analysis.errors import write_table
from surefoot.types import ErrorRow


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
